/// The sizes of blobs that are the same as files, in the order in which an index has them: it takes less time to look at a file than
/// for an object, and to go through two lists side by side than to look anything up.
struct BlobSizes {
    private struct Item {
        let position: Int
        let blob: ObjectID
        let size: Int
    }

    private var items: [Item] = []
    private var next = 0

    mutating func reserveCapacity(_ count: Int) { items.reserveCapacity(count) }

    mutating func add(_ blob: ObjectID, size: Int, at position: Int) {
        items.append(Item(position: position, blob: blob, size: size))
    }

    mutating func sortByPosition(unlessSorted isSorted: Bool) {
        if !isSorted { items.sort { $0.position < $1.position } }
    }

    /// The size of an index's next blob, in bytes, when it is known. To be asked for all of them in order; others may have come among
    /// them since, or taken their places.
    mutating func size(ofNext blob: ObjectID) -> Int? {
        guard next < items.count, items[next].blob == blob else { return nil }
        next += 1
        return items[next - 1].size
    }
}
