import Foundation
import Testing

/// What a person sees who clicks the address: a real browser, through the tunnel.
@Suite(.timeLimit(.minutes(4)))
struct BrowserTests {
    private static let browser = ["/usr/bin/chromium", "/usr/bin/chromium-browser", "/usr/bin/google-chrome"]
        .first { FileManager.default.isExecutableFile(atPath: $0) }

    private static let obstacle: String? =
        DemoCluster.obstacle ?? (browser == nil ? "there is no Chromium: run Tests/run" : nil)

    /// Opens a page, lets it load and draw for 15 seconds of its own time, which pass faster, and takes a picture.
    ///
    /// - Returns: the document as it is then.
    private func open(_ address: String, picture: String, desk: Desk) async throws -> String {
        let browser = try #require(BrowserTests.browser)
        let launch = Launch(
            program: browser,
            arguments: [
                "--headless=new", "--no-sandbox", "--disable-dev-shm-usage",
                // Without a GPU TensorBoard draws its charts as SVG, which can be looked at in the document too.
                "--disable-3d-apis", "--user-data-dir=\(desk.folder)/browser", "--window-size=1400,1000",
                "--virtual-time-budget=15000", "--screenshot=\(picture)", "--dump-dom", address,
            ],
            directory: desk.folder, environment: desk.environment)
        return try await run(launch, within: .seconds(90)).checked("chromium").output
    }

    @Test(.enabled(if: obstacle == nil, "\(obstacle ?? "")"))
    func theChartIsDrawn() async throws {
        try await withBoard(.demoCluster) { terminal, workplace, address in
            // TensorBoard looks for new data every few seconds.
            try await eventually("scalars") {
                try await fetch(address + "data/plugin/scalars/tags").text.contains("loss") ? true : nil
            }
            let picture = workplace.signpost("tensorboard.png")
            let document = try await open(address + "#timeseries", picture: picture, desk: workplace.repository.desk)
            // The two curves, as they are and smoothed, of a hundred points each.
            let curves = document.matches(of: #/<path d="(M[^"]*L[^"]*)"/#).filter { match in
                match.output.1.split(separator: "L").count == 100
            }
            #expect(curves.count == 2)
            #expect(document.contains("runs/first"))

            // And in the picture: pixels of the curve's colour in nearly every column under the axis.
            let columns = try await run(
                Launch(
                    program: try await python(), arguments: ["-c", Self.columns, picture], directory: "/",
                    environment: workplace.repository.desk.environment)
            ).checked("python").output
            #expect(Int(columns.dropLast()) ?? 0 > 200, "\(columns) columns show the curve")
            if let folder = ProcessInfo.processInfo.environment["CLUSTER_TOOLS_TEST_PICTURES"] {
                try FileManager.default.copyItem(atPath: picture, toPath: folder + "/tensorboard.png")
            }
            try workplace.raise("go")
            #expect(try await terminal.finish() == .exited(3))
        }
    }

    /// Counts the columns of the chart's area in which there is a pixel of the first run's colour.
    private static let columns = """
        import sys
        from PIL import Image
        picture = Image.open(sys.argv[1]).convert("RGB")
        curve = (66, 80, 102)
        near = lambda pixel: all(abs(a - b) < 12 for a, b in zip(pixel, curve))
        print(sum(any(near(picture.getpixel((x, y))) for y in range(310, 532)) for x in range(366, 692)))
        """

    /// The Python of the demo's jobs: TensorBoard brings an image library.
    private func python() async throws -> String {
        try await withDemoCluster { cluster in
            let activation = try #require(try cluster.profileValues()["activate_python"] as? String)
            return activation.replacingOccurrences(of: "source ", with: "")
                .replacingOccurrences(of: "bin/activate", with: "bin/python")
        }
    }
}
