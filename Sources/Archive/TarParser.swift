/// Reads tar archives as they arrive, in bounded memory: bytes go in, events come out. It does no I/O, and reads what GNU's,
/// busybox's and BSD's tar write; archives may follow one another. (libarchive's own reader asks for bytes when it wants them,
/// which would need a thread for every archive that comes over a link.)
public struct TarParser: Sendable {
    public enum Kind: Sendable, Equatable {
        case file, folder
        case symlink(target: [UInt8])
        /// Another name of a file that came before, without data of its own.
        case hardLink(target: [UInt8])
        /// A device, a pipe, or something that only another system knows.
        case other
    }

    public struct Entry: Sendable, Equatable {
        /// As the archive has it.
        public var path: [UInt8]
        public var kind: Kind
        /// The permission bits.
        public var mode: UInt32
        /// How many bytes of data follow.
        public var size: Int
        /// In seconds since 1970.
        public var modified: Int
    }

    public enum Event: Sendable, Equatable {
        case entry(Entry)
        /// The next bytes of the present entry.
        case data([UInt8])
        /// All of the present entry's data has come.
        case end
    }

    private enum State {
        case header
        case data(left: Int, padding: Int)
        case padding(Int)
        /// What describes the next entry: a long name, a long link, or pax records.
        case description(type: UInt8, size: Int)
    }

    private static let block = 512
    /// No name and no list of attributes is longer.
    private static let longestDescription = 1 << 20

    private var buffer: [UInt8] = []
    private var start = 0
    private var state = State.header
    /// What descriptions have said about the next entry.
    private var path: [UInt8]?
    private var target: [UInt8]?
    private var size: Int?

    public init() {}

    /// Whether the archive may end here: nothing of an entry is missing.
    public var isBetweenEntries: Bool {
        if case .header = state { return start == buffer.count && path == nil && target == nil }
        return false
    }

    public mutating func feed(_ bytes: [UInt8]) {
        buffer.removeFirst(start)
        start = 0
        buffer += bytes
    }

    /// The next event, or nil when more bytes are needed.
    ///
    /// - Throws: when this is no archive.
    public mutating func next() throws(ArchiveError) -> Event? {
        while true {
            switch state {
            case .header:
                guard let header = take(Self.block) else { return nil }
                if header.allSatisfy({ $0 == 0 }) { continue }
                if let entry = try entry(header) { return .entry(entry) }
            case .description(let type, let size):
                guard let bytes = take(Self.padded(size)) else { return nil }
                try describe(type, bytes.prefix(size))
                state = .header
            case .data(left: 0, let padding):
                state = .padding(padding)
                return .end
            case .data(let left, let padding):
                guard start < buffer.count else { return nil }
                let count = min(left, buffer.count - start)
                defer { start += count }
                state = .data(left: left - count, padding: padding)
                return .data(Array(buffer[start..<start + count]))
            case .padding(let count):
                guard take(count) != nil else { return nil }
                state = .header
            }
        }
    }

    private mutating func take(_ count: Int) -> ArraySlice<UInt8>? {
        guard buffer.count - start >= count else { return nil }
        defer { start += count }
        return buffer[start..<start + count]
    }

    private static func padded(_ size: Int) -> Int { (size + block - 1) / block * block }

    // MARK: Headers

    /// The entry of a header; nil for one that describes the next.
    private mutating func entry(_ header: ArraySlice<UInt8>) throws(ArchiveError) -> Entry? {
        func field(_ offset: Int, _ length: Int) -> ArraySlice<UInt8> {
            header[(header.startIndex + offset)..<(header.startIndex + offset + length)]
        }
        // The sum is made as if its own field held spaces.
        let sum = header.reduce(0) { $0 + Int($1) } - field(148, 8).reduce(0) { $0 + Int($1) } + 8 * 0x20
        guard Self.number(field(148, 8)) == sum else {
            throw ArchiveError(.misuse, "what arrived is no tar archive, or a damaged one")
        }
        guard let announced = Self.number(field(124, 12)), announced >= 0, announced < 1 << 60 else {
            throw ArchiveError(.misuse, "a size in the archive that cannot be")
        }
        let type = header[header.startIndex + 156]
        if ["L", "K", "x", "g"].contains(Character(Unicode.Scalar(type))) {
            guard announced <= Self.longestDescription else {
                throw ArchiveError(.misuse, "a name in the archive that is too long")
            }
            state = .description(type: type, size: announced)
            return nil
        }
        defer { (path, target, size) = (nil, nil, nil) }
        var name = Array(Self.text(field(0, 100)))
        // GNU's format has other things where ustar's has the beginning of long paths.
        if field(257, 6).elementsEqual("ustar\0".utf8), case let prefix = Self.text(field(345, 155)), !prefix.isEmpty {
            name = prefix + [UInt8(ascii: "/")] + name
        }
        let link = target ?? Array(Self.text(field(157, 100)))
        let kind: Kind =
            switch type {
            case 0, UInt8(ascii: "0"), UInt8(ascii: "7"): .file
            case UInt8(ascii: "1"): .hardLink(target: link)
            case UInt8(ascii: "2"): .symlink(target: link)
            case UInt8(ascii: "5"): .folder
            default: .other
            }
        // Only these have data, whatever their headers say of a size.
        let length = kind == .file || kind == .other ? size ?? announced : 0
        state = .data(left: length, padding: Self.padded(length) - length)
        return Entry(
            path: path ?? name, kind: kind, mode: UInt32(clamping: Self.number(field(100, 8)) ?? 0) & 0o7777,
            size: length, modified: Self.number(field(136, 12)) ?? 0)
    }

    private mutating func describe(_ type: UInt8, _ bytes: ArraySlice<UInt8>) throws(ArchiveError) {
        switch type {
        case UInt8(ascii: "L"): path = Array(Self.text(bytes))
        case UInt8(ascii: "K"): target = Array(Self.text(bytes))
        case UInt8(ascii: "x"):
            var rest = bytes
            while let space = rest.firstIndex(of: UInt8(ascii: " ")),
                let length = Int(String(decoding: rest[..<space], as: UTF8.self)), length <= rest.count,
                length > space - rest.startIndex + 1
            {
                // The length counts itself, and the line end.
                let record = rest[(space + 1)..<(rest.startIndex + length - 1)]
                rest = rest.dropFirst(length)
                guard let sign = record.firstIndex(of: UInt8(ascii: "=")) else { continue }
                let value = Array(record[(sign + 1)...])
                switch String(decoding: record[..<sign], as: UTF8.self) {
                case "path": path = value
                case "linkpath": target = value
                case "size":
                    guard let number = Int(String(decoding: value, as: UTF8.self)), (0..<1 << 60).contains(number)
                    else { throw ArchiveError(.misuse, "a size in the archive that cannot be") }
                    size = number
                default: break
                }
            }
        default: break
        }
    }

    private static func text(_ field: ArraySlice<UInt8>) -> ArraySlice<UInt8> { field.prefix { $0 != 0 } }

    /// An octal number, or one in base 256, which its first bit tells.
    private static func number(_ field: ArraySlice<UInt8>) -> Int? {
        guard let first = field.first else { return nil }
        if first & 0x80 != 0 {
            // Two's complement; the bit that tells is not part of it.
            var value = first & 0x40 != 0 ? -1 : 0
            value = value << 6 | Int(first & 0x3F)
            for byte in field.dropFirst() {
                let (shifted, overflows) = value.multipliedReportingOverflow(by: 256)
                guard !overflows else { return nil }
                value = shifted | Int(byte)
            }
            return value
        }
        let digits = field.drop { $0 == 0x20 }.prefix { $0 != 0x20 && $0 != 0 }
        return digits.isEmpty ? 0 : Int(String(decoding: digits, as: UTF8.self), radix: 8)
    }
}
