import Foundation
import Testing

/// A program that unpacks archives.
enum Extractor: String, CaseIterable, CustomTestStringConvertible {
    case tar, busybox, bsdtar

    var testDescription: String { rawValue }

    /// Those that this machine has; the others are named once, in the test's output.
    static let installed: [Extractor] = allCases.filter { extractor in
        let found = ["/usr/bin/", "/bin/"].contains {
            FileManager.default.isExecutableFile(atPath: $0 + extractor.rawValue)
        }
        if !found { print("skipped: \(extractor.rawValue) is not installed, so unpacking with it is not tested") }
        return found
    }

    /// Unpacks an archive, compressed or not, that comes through a pipe.
    func extract(_ archive: [UInt8], into folder: String) throws -> (status: Int32, messages: String) {
        let flags = archive.starts(with: [0x1F, 0x8B]) ? "-xzf" : "-xf"
        let command = self == .busybox ? "busybox" : rawValue
        let applet = self == .busybox ? ["tar"] : []
        let result = try run(command, applet + [flags, "-", "-C", folder], input: archive)
        return (result.status, result.output)
    }
}

/// Runs a program to its end, for a minute at most; its output and messages are one text.
func run(_ program: String, _ arguments: [String], input: [UInt8] = []) throws -> (status: Int32, output: String) {
    let process = Process()
    process.executableURL = URL(filePath: "/usr/bin/env")
    process.arguments = ["timeout", "60", program] + arguments
    process.environment = ["PATH": "/usr/bin:/bin", "LC_ALL": "C.UTF-8"]
    let output = Pipe()
    process.standardOutput = output
    process.standardError = output
    // From a file, since a program that stops reading early would break a pipe.
    let source = FileManager.default.temporaryDirectory.appending(path: UUID().uuidString)
    try Data(input).write(to: source)
    defer { #expect(throws: Never.self) { try FileManager.default.removeItem(at: source) } }
    process.standardInput = try FileHandle(forReadingFrom: source)
    try process.run()
    let data = try output.fileHandleForReading.readToEnd() ?? Data()
    process.waitUntilExit()
    return (process.terminationStatus, String(decoding: data, as: UTF8.self))
}

/// A folder that is gone afterwards.
func withTemporaryFolder(_ body: (String) throws -> Void) throws {
    let folder = FileManager.default.temporaryDirectory.appending(path: "archive-tests-\(UUID().uuidString)")
    try FileManager.default.createDirectory(at: folder, withIntermediateDirectories: true)
    defer { #expect(throws: Never.self) { try FileManager.default.removeItem(at: folder) } }
    try body(folder.path(percentEncoded: false))
}

/// A path for C: bytes, which Foundation would not take as they are.
private func cPath(_ path: [UInt8], in folder: String) -> [CChar] {
    (Array(folder.utf8) + [UInt8(ascii: "/")] + path + [0]).map { CChar(bitPattern: $0) }
}

func read(_ path: [UInt8], in folder: String) throws -> [UInt8] {
    let file = try #require(fopen(cPath(path, in: folder), "r"))
    defer { fclose(file) }
    var content: [UInt8] = []
    var buffer = [UInt8](repeating: 0, count: 1 << 16)
    while case let count = fread(&buffer, 1, buffer.count, file), count > 0 { content += buffer[..<count] }
    return content
}

/// A file's type and permission bits.
func mode(of path: [UInt8], in folder: String) throws -> UInt32 {
    var status = stat()
    let result = lstat(cPath(path, in: folder), &status)
    try #require(result == 0, "there is no \(String(decoding: path, as: UTF8.self))")
    return UInt32(status.st_mode)
}
