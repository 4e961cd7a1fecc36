/// Files that are as an index has them, in its order: it takes less time to look at a file than for an object, and to go through two
/// lists side by side than to look anything up.
struct UnchangedFiles {
    private struct Item {
        let position: Int
        let blob: ObjectID
        let stamp: FileStamp
    }

    private var items: [Item] = []
    private var next = 0

    mutating func reserveCapacity(_ count: Int) { items.reserveCapacity(count) }

    mutating func add(_ blob: ObjectID, _ stamp: FileStamp, at position: Int) {
        items.append(Item(position: position, blob: blob, stamp: stamp))
    }

    mutating func sortByPosition(unlessSorted isSorted: Bool) {
        if !isSorted { items.sort { $0.position < $1.position } }
    }

    /// The file of the index's next blob, when it is one of these. To be asked for all blobs in order; others may have come among them
    /// since, or taken their places.
    mutating func next(_ blob: ObjectID) -> FileStamp? {
        guard next < items.count, items[next].blob == blob else { return nil }
        next += 1
        return items[next - 1].stamp
    }
}
