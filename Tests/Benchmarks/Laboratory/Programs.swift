import Foundation

/// Where the programs lie.
enum Programs {
    /// The package's root folder.
    static let root = URL(filePath: #filePath).deletingLastPathComponent().deletingLastPathComponent()
        .deletingLastPathComponent().deletingLastPathComponent().path

    /// This program; the others are built into the same folder.
    static let itself = Bundle.main.executablePath ?? CommandLine.arguments[0]
    static let folder = URL(filePath: itself).deletingLastPathComponent().path

    static var submit: String { folder + "/submit" }
    static var cluster: String { folder + "/cluster" }
    static var demo: String { root + "/clusters/demo" }
}
