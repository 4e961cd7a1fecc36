import Foundation
import Testing

/// `cluster open`: a job's TensorBoard in the browser.
@Suite(
    .enabled(if: DemoCluster.obstacle == nil, "\(DemoCluster.obstacle ?? "")"),
    .timeLimit(.minutes(4)))
struct OpenVerbTests {
    @Test(arguments: Place.available) func theBrowserIsLedThere(place: Place) async throws {
        try await withWorkplace(place, files: TensorBoardTests.files, hasTensorBoard: true) { workplace in
            let submitted = try await run(workplace.submit("--detach", "python", "train.py", workplace.signpost("go")))
            let job = try #require(submitted.job)
            // A browser that writes down where it was led.
            let browser = workplace.signpost("browser.sh")
            try Data("#!/bin/sh\nprintf '%s\\n' \"$*\" >\"\(workplace.signpost("visit"))\"\n".utf8).write(
                to: URL(filePath: browser))
            chmod(browser, 0o755)
            let launch = workplace.cluster("open", environment: ["BROWSER": browser])
            try await withTerminal(launch) { terminal in
                let address = String(
                    try await terminal.expect(#/cluster: TensorBoard (\S+)\n/#, within: .seconds(60)).1)
                let visit = try await eventually("browser") {
                    let path = workplace.signpost("visit")
                    guard FileManager.default.fileExists(atPath: path) else { return nil as String? }
                    let text = String(decoding: try Data(contentsOf: URL(filePath: path)), as: UTF8.self)
                    return text.hasSuffix("\n") ? String(text.dropLast()) : nil
                }
                // What others see in the list of processes is not the secret, and leads nobody there a second time.
                let secret = try #require(address.split(separator: "/").last)
                #expect(!visit.contains(secret))
                let redirect = try await fetch(visit)
                #expect(redirect.status == 303)
                await #expect(throws: (any Error).self) { try await fetch(visit, within: .seconds(3)) }
                #expect(try await fetch(address).text.contains("<title>TensorBoard</title>"))
                #expect(await !terminal.text().contains("trained"))
                await terminal.press(.interrupt)
                #expect(try await terminal.finish(within: .seconds(10)) == .exited(0))
                #expect(await !terminal.text().contains("Cancel"))
            }
            #expect(try await workplace.jobs() == [job.id])
            // Without a browser the address is all there is; with the job it ends.
            try await withChild(workplace.cluster("open", job.id)) { child in
                try await Terminal(child).expect("no browser was found", on: .errors, within: .seconds(60))
                try workplace.raise("go")
                #expect(try await child.finish(within: .seconds(30)) == .exited(0))
            }
            let late = try await run(workplace.cluster("open", job.id))
            #expect(late.status == .exited(69))
            #expect(late.errors.contains("job \(job.id) has no TensorBoard any more\n  it ended with exit status 3"))
        }
    }

    @Test func aJobWithoutOneIsRefused() async throws {
        try await withWorkplace(.here, files: ["empty": ""]) { workplace in
            let job = try await workplace.leave("true")
            let refused = try await run(workplace.cluster("open"))
            #expect(refused.status == .exited(69))
            #expect(refused.errors.contains("job \(job.id) was submitted without TensorBoard"))
        }
    }

    @Test func whereItIsNotInstalledTheReasonIsTold() async throws {
        try await withWorkplace(.here, files: ["bin/python": "#!/bin/sh\nexit 1\n"]) { workplace in
            let folder = workplace.repository.folder + "/bin"
            try FileManager.default.copyItem(atPath: folder + "/python", toPath: folder + "/python3")
            for name in ["python", "python3"] { chmod("\(folder)/\(name)", 0o755) }
            let profile = workplace.signpost("bare.json")
            try JSONEncoder().encode(["activate_python": "PATH=\(folder):$PATH"]).write(to: URL(filePath: profile))
            var workplace = workplace
            workplace.profile = profile
            _ = try await run(workplace.submit("--detach", "sleep", "60")).checked("submit")
            let refused = try await run(workplace.cluster("open"))
            #expect(refused.status == .exited(69))
            #expect(refused.errors.contains("pip install tensorboard"))
        }
    }
}
