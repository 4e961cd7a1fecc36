/// A file, a folder or a symbolic link below some folder, here or there.
struct FileEntry: Sendable, Equatable {
    enum Kind: Sendable, Equatable {
        case file, folder
        case link(target: [UInt8])
        /// A folder that cannot be read: what is in it is not known.
        case closedFolder
        /// A pipe, a socket, a device: nothing that could be copied.
        case other
    }

    /// Relative to the folder, in the bytes that it has there: no `.`, no `..`, no empty component.
    var path: [UInt8]
    var kind: Kind
    /// The permission bits, without those that give somebody else's rights.
    var mode: UInt32
    /// In bytes; 0 for what is no file.
    var size: Int
    /// When it was changed, in whole seconds since 1970: archives and many file systems keep no more.
    var modified: Int

    /// The bits of a mode that are kept.
    static let keptMode: UInt32 = 0o777

    /// Whether a copy of it is as it should be. Of the mode only what makes a file a program counts: not every file system keeps
    /// the rest.
    func isSame(as other: FileEntry) -> Bool {
        switch (kind, other.kind) {
        case (.file, .file): size == other.size && modified == other.modified && (mode ^ other.mode) & 0o100 == 0
        case (.link(let target), .link(let otherTarget)): target == otherTarget
        case (.folder, .folder): true
        default: false
        }
    }

    /// The path as text for a person.
    var name: String { BytePath.text(path) }
}

/// Paths as bytes.
enum BytePath {
    static let slash = UInt8(ascii: "/")

    /// As text for a person, in one line.
    static func text(_ path: some Sequence<UInt8>) -> String {
        TerminalText.line(String(decoding: Array(path), as: UTF8.self))
    }

    /// The components, without `.` and empty ones; nil for a path that is absolute or has a `..`, which might lead anywhere.
    static func components(_ path: some Collection<UInt8>) -> [[UInt8]]? {
        guard path.first != slash, !path.contains(0) else { return nil }
        let parts = path.split(separator: slash).map { Array($0) }.filter { $0 != Array(".".utf8) }
        return parts.contains(Array("..".utf8)) ? nil : parts
    }

    static func join(_ components: some Sequence<[UInt8]>) -> [UInt8] { Array(components.joined(separator: [slash])) }

    static func join(_ folder: [UInt8], _ name: [UInt8]) -> [UInt8] {
        folder.isEmpty ? name : name.isEmpty ? folder : folder + [slash] + name
    }

    /// The folder that it lies in (empty for the top) and its last component.
    static func split(_ path: [UInt8]) -> (folder: [UInt8], name: [UInt8]) {
        guard let index = path.lastIndex(of: slash) else { return ([], path) }
        return (Array(path[..<index]), Array(path[(index + 1)...]))
    }

    /// Whether it is this one, or lies below it.
    static func contains(_ folder: [UInt8], _ path: [UInt8]) -> Bool {
        folder.isEmpty || path == folder || (path.starts(with: folder) && path[folder.count] == slash)
    }
}
