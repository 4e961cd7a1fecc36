import Foundation

/// Where the things under test lie.
enum Programs {
    /// The package's root folder.
    static let root = URL(filePath: #filePath).deletingLastPathComponent().deletingLastPathComponent()
        .deletingLastPathComponent().deletingLastPathComponent().path

    /// The folder of the built binaries, which is the test bundle's own.
    static let folder: String = {
        // On Linux the test bundle is the running program; on macOS it is a bundle that a helper has loaded.
        let bundle = Bundle.allBundles.first { $0.bundlePath.hasSuffix(".xctest") } ?? .main
        let url = bundle.bundleURL
        return (url.pathExtension == "xctest" ? url.deletingLastPathComponent() : url).path
    }()

    /// Where tests make their folders: one of Tests/run's own, which it cleans up, else the system's. A short path, since
    /// Unix sockets lie below it.
    static let temporary = ProcessInfo.processInfo.environment["CLUSTER_TOOLS_TEST_FOLDER"] ?? "/tmp"

    static var submit: String { folder + "/submit" }
    static var cluster: String { folder + "/cluster" }
    static var demo: String { root + "/clusters/demo" }
}
