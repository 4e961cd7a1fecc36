/// How hard to compress: as hard as there is time for. A slow link is worth more of the processor's time than a quick one, and
/// which of the two is waited for shows at the pieces between them.
struct CompressionEffort {
    /// A level of zlib's or zstd's, from 1.
    private(set) var level = 1
    /// The highest to go to.
    let most: Int

    init(most: Int) { self.most = most }

    /// - Parameter ready: how many of the `others`, the pieces before the next one, wait for nothing but the link.
    mutating func adapt(ready: Int, of others: Int) {
        if ready >= others {
            level = min(level + 1, most)
        } else if ready <= others / 2 {
            level = max(level - 1, 1)
        }
    }
}
