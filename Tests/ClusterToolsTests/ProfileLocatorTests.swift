import Foundation
import Testing

@testable import ClusterTools

struct ProfileLocatorTests {
    private func locator(_ files: Set<String>, repository: String? = "/repo") -> ProfileLocator {
        ProfileLocator(
            repository: repository, configurationFolder: "/home/me/.config/cluster-tools",
            isFile: { files.contains($0) },
            names: { folder in
                files.compactMap { LocalPath.folder(of: $0) == folder ? LocalPath.name(of: $0) : nil }.sorted()
            })
    }

    @Test func looksInOrder() throws {
        let all = [
            "./fir", "./fir.json", "/repo/clusters/fir.json", "/home/me/.config/cluster-tools/clusters/fir.json",
        ]
        #expect(locator([]).candidates(for: "fir") == all)
        for index in all.indices {
            #expect(try locator(Set(all[index...])).locate("fir") == all[index])
        }
    }

    @Test func aNameMayHaveItsEnding() throws {
        #expect(try locator(["/repo/clusters/cedar.json"]).locate("cedar.json") == "/repo/clusters/cedar.json")
        #expect(try locator(["./cedar.json", "/repo/clusters/cedar.json"]).locate("cedar.json") == "./cedar.json")
    }

    @Test func aPathIsAPath() throws {
        #expect(try locator(["a/b.json"]).locate("a/b.json") == "a/b.json")
        #expect(try locator(["a/b.json"]).locate("a/b") == "a/b.json")
        #expect(try locator(["/x/y"]).locate("/x/y") == "/x/y")
        #expect(throws: Failure.self) { try locator(["/repo/clusters/b.json"]).locate("./b") }
    }

    @Test func whatIsNotFoundIsExplained() {
        let failure = #expect(throws: Failure.self) {
            try locator(["/repo/clusters/cedar.json", "/repo/clusters/fir.json"]).locate("cedr")
        }
        #expect(
            failure?.text(program: "submit") == """
                submit: error: there is no profile "cedr"
                  looked for ./cedr
                             ./cedr.json
                             /repo/clusters/cedr.json
                             /home/me/.config/cluster-tools/clusters/cedr.json
                  hint: did you mean cedar?
                """)
        #expect(failure?.status == 66)
    }

    @Test func withoutANearOneAllAreNamed() {
        let known = #expect(throws: Failure.self) {
            try locator(["/repo/clusters/cedar.json", "/repo/clusters/fir.json", "./data.json"]).locate("zzzzz")
        }
        #expect(known?.remedy == "there are cedar and fir")
        let none = #expect(throws: Failure.self) { try locator([], repository: nil).locate("zzzzz") }
        #expect(none?.remedy?.hasPrefix("a profile is a JSON file such as") == true)
    }

    @Test func theFileSystemIsAsked() throws {
        let top = FileManager.default.temporaryDirectory.appending(path: "locator-tests-\(UUID().uuidString)")
        let folder = top.path(percentEncoded: false)
        defer { #expect(throws: Never.self) { try FileManager.default.removeItem(at: top) } }
        let clusters = top.appending(path: "clusters")
        // A folder of the name is not the profile.
        try FileManager.default.createDirectory(
            at: clusters.appending(path: "maple.json"), withIntermediateDirectories: true)
        try Data(#"{"hostname": "oak.example.org"}"#.utf8).write(to: clusters.appending(path: "oak.json"))

        let locator = ProfileLocator(repository: nil, configurationFolder: folder)
        let none = Configuration()
        #expect(try locator.profile(named: "oak", configuration: none, home: "/").hostname == "oak.example.org")
        let standard = Configuration(defaultProfile: "oak")
        #expect(try locator.profile(named: nil, configuration: standard, home: "/").name == "oak")
        #expect(try locator.profile(named: nil, configuration: none, home: "/") == .thisMachine)

        let folderOfTheName = #expect(throws: Failure.self) {
            try locator.profile(named: "maple", configuration: none, home: "/")
        }
        #expect(folderOfTheName?.status == Exit.noInput)
        let wrong = Configuration(defaultProfile: "oek")
        let missing = #expect(throws: Failure.self) { try locator.profile(named: nil, configuration: wrong, home: "/") }
        #expect(missing?.what == "there is no profile \"oek\", the default of \(folder)/config.json")
        #expect(missing?.remedy == "did you mean oak?")
    }

    @Test func theConfigurationFolder() {
        #expect(Configuration.folder(environment: [:], home: "/h") == "/h/.config/cluster-tools")
        #expect(Configuration.folder(environment: ["XDG_CONFIG_HOME": "/x"], home: "/h") == "/x/cluster-tools")
        #expect(Configuration.folder(environment: ["XDG_CONFIG_HOME": "x"], home: "/h") == "/h/.config/cluster-tools")
        #expect(Configuration.folder(environment: ["XDG_CONFIG_HOME": ""], home: "/h") == "/h/.config/cluster-tools")
    }

    @Test func theConfiguration() throws {
        #expect(try Configuration.load(folder: "/nonexistent") == Configuration())
        let decoded = try Configuration(json: Array(#"{"default": "fir"}"#.utf8), path: "c.json")
        #expect(decoded.defaultProfile == "fir")
        let failure = #expect(throws: Failure.self) {
            try Configuration(json: Array(#"{"defualt": "fir"}"#.utf8), path: "c.json")
        }
        #expect(failure?.what == "c.json: defualt: no such key")
        #expect(failure?.remedy == "did you mean \"default\"?")
    }
}
