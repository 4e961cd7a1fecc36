/// Bytes in the order of their arrival, taken from the front in pieces of any size.
///
/// One flat buffer: many tiny arrivals cost no more memory than one large one.
struct ByteQueue {
    private var bytes: [UInt8] = []
    /// Bytes at the front that are taken already.
    private var taken = 0

    var count: Int { bytes.count - taken }
    var isEmpty: Bool { count == 0 }

    mutating func append(_ more: some Collection<UInt8>) {
        // Giving back the room at the front only when it is the larger part makes it cost O(1) per byte.
        if taken > bytes.count / 2 {
            bytes.removeFirst(taken)
            taken = 0
        }
        bytes.append(contentsOf: more)
    }

    /// Removes and returns the first bytes, at most `limit` of them.
    mutating func removeFirst(upTo limit: Int) -> [UInt8] {
        let first = Array(bytes[taken...].prefix(limit))
        taken += first.count
        if isEmpty { self = ByteQueue() }
        return first
    }
}
