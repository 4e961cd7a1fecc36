import CArchive

/// How bytes are made fewer. Pieces that were compressed each by itself are, one after the other, the compressed whole: so they
/// can be made at the same time.
public enum Compression: Sendable, Equatable {
    case none
    /// zlib's levels, from 1 (fast) to 9 (small); 0 does not compress.
    case gzip(level: Int)
    /// zstd's levels, from 1 (fast) to 19 (small).
    case zstd(level: Int)

    /// Compresses a piece, as a gzip member or a zstd frame.
    public func compress(_ bytes: [UInt8]) throws(ArchiveError) -> [UInt8] {
        guard let archive = archive_write_new(), let entry = archive_entry_new() else {
            throw ArchiveError(.library, "libarchive has no memory for a piece of an archive")
        }
        defer {
            archive_entry_free(entry)
            archive_write_free(archive)
        }
        let output = OutputBuffer()
        output.reserve(bytes.count / 2)
        try check(archive_write_set_format_raw(archive), archive)
        try addFilter(to: archive)
        try output.open(archive)
        archive_entry_set_filetype(entry, 0o100000)
        try check(archive_write_header(archive, entry), archive)
        let written = bytes.withUnsafeBytes { archive_write_data(archive, $0.baseAddress, $0.count) }
        guard written == bytes.count else { throw lastError(of: archive) }
        try check(archive_write_close(archive), archive)
        return output.take()
    }

    /// Sets up an archive that is about to be opened.
    func addFilter(to archive: OpaquePointer) throws(ArchiveError) {
        switch self {
        case .none: try check(archive_write_add_filter_none(archive), archive)
        case .gzip(let level):
            try check(archive_write_add_filter_gzip(archive), archive)
            try check(archive_write_set_filter_option(archive, "gzip", "compression-level", "\(level)"), archive)
            // No value: the header says nothing of when it was compressed.
            try check(archive_write_set_filter_option(archive, "gzip", "timestamp", nil), archive)
        case .zstd(let level):
            try check(archive_write_add_filter_zstd(archive), archive)
            try check(archive_write_set_filter_option(archive, "zstd", "compression-level", "\(level)"), archive)
        }
    }

    /// Whether bytes look as if nothing could make them fewer, such as those of a picture or of an archive: by a sample of them, in
    /// which every value appears about as often.
    public static func isFutile(for bytes: [UInt8]) -> Bool {
        let sample = 1 << 14
        guard bytes.count >= sample else { return false }
        var counts = [Int](repeating: 0, count: 256)
        let step = bytes.count / sample
        for index in stride(from: 0, to: step * sample, by: step) { counts[Int(bytes[index])] += 1 }
        // Of random bytes each value comes 64 times in the sample, and hardly one more than 110 times or less than 30.
        return counts.allSatisfy { (30...110).contains($0) }
    }
}

/// Throws libarchive's own words for the last call, if it did not do what it should. A warning counts: something was left out.
func check(_ status: Int32, _ archive: OpaquePointer) throws(ArchiveError) {
    guard status == ARCHIVE_OK else { throw lastError(of: archive) }
}

func lastError(of archive: OpaquePointer) -> ArchiveError {
    ArchiveError(.library, archive_error_string(archive).map { String(cString: $0) } ?? "libarchive gave no reason")
}

/// What libarchive has given out and nobody has taken yet.
final class OutputBuffer {
    private var bytes: [UInt8] = []

    func reserve(_ count: Int) { bytes.reserveCapacity(count) }

    func take() -> [UInt8] {
        var taken: [UInt8] = []
        swap(&taken, &bytes)
        return taken
    }

    /// Lets an archive write here.
    func open(_ archive: OpaquePointer) throws(ArchiveError) {
        // No padding after the end of the compressed stream.
        try check(archive_write_set_bytes_in_last_block(archive, 1), archive)
        try check(
            archive_write_open2(archive, Unmanaged.passUnretained(self).toOpaque(), nil, Self.collect, nil, nil),
            archive)
    }

    /// libarchive's write callback; its client data is the buffer.
    private static let collect:
        @convention(c) (OpaquePointer?, UnsafeMutableRawPointer?, UnsafeRawPointer?, Int) -> Int = {
            _, client, data, count in
            guard let client else { return -1 }
            let buffer = Unmanaged<OutputBuffer>.fromOpaque(client).takeUnretainedValue()
            buffer.bytes.append(contentsOf: UnsafeRawBufferPointer(start: data, count: count))
            return count
        }
}
