/// The name of a file that is not complete yet: `.NAME.part-SIZE-TIME`, with the size and the time that the whole will have. A
/// part of another version of the file has another name, so it is never continued with the wrong bytes.
enum PartName {
    /// The longest name that file systems take.
    private static let longest = 255
    private static let mark = Array(".part-".utf8)

    static func of(_ entry: FileEntry) -> [UInt8] {
        let name = BytePath.split(entry.path).name
        let suffix = Array(".part-\(entry.size)-\(entry.modified)".utf8)
        guard 1 + name.count + suffix.count > longest else { return [UInt8(ascii: ".")] + name + suffix }
        // What is cut off is told by a sum (FNV-1a).
        let sum = name.reduce(0xcbf2_9ce4_8422_2325 as UInt64) { ($0 ^ UInt64($1)) &* 0x100_0000_01b3 }
        return [UInt8(ascii: ".")] + name.prefix(160) + Array("~\(String(sum, radix: 36))".utf8) + suffix
    }

    /// The path of an entry's part.
    static func path(of entry: FileEntry) -> [UInt8] { BytePath.join(BytePath.split(entry.path).folder, of(entry)) }

    /// Whether the last component is the name of a part.
    static func isPart(_ path: [UInt8]) -> Bool {
        let name = BytePath.split(path).name
        guard name.first == UInt8(ascii: "."), let mark = name.lastRange(of: Self.mark), mark.lowerBound > 1 else {
            return false
        }
        let version = name[mark.upperBound...]
        return version.dropFirst().contains(UInt8(ascii: "-"))
            && version.allSatisfy { "0123456789-".utf8.contains($0) }
    }

    /// Whether this is the name of a part of the file, of whichever version.
    static func isPart(_ name: [UInt8], of entry: FileEntry) -> Bool {
        guard isPart(name), let end = of(entry).lastRange(of: mark) else { return false }
        return name.starts(with: of(entry)[..<end.upperBound])
    }
}

extension [UInt8] {
    fileprivate func lastRange(of part: [UInt8]) -> Range<Int>? {
        guard count >= part.count else { return nil }
        let start = (0...(count - part.count)).last { self[$0...].starts(with: part) }
        return start.map { $0..<$0 + part.count }
    }
}
