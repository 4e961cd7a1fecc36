import Foundation

/// Bytes that cannot be compressed. The system makes them: a loop here would keep a thread from all other tests for seconds.
func noise(_ count: Int) throws -> Data {
    let source = try FileHandle(forReadingFrom: URL(filePath: "/dev/urandom"))
    defer { source.closeFile() }
    var bytes = Data()
    while bytes.count < count, let more = try source.read(upToCount: count - bytes.count) { bytes += more }
    return bytes
}
