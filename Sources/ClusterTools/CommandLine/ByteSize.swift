/// A number of bytes as a person types it.
enum ByteSize {
    /// Reads `500K`, `1.5G`, `100M`: powers of 1024, as Slurm counts. Nil for what is no size.
    static func parse(_ text: String) -> Int? {
        let units: [Character: Double] = ["K": 1024, "M": 1_048_576, "G": 1_073_741_824, "T": 1_099_511_627_776]
        var digits = Substring(text.uppercased())
        if digits.count > 1, digits.hasSuffix("B") { digits.removeLast() }
        let unit = digits.last.flatMap { units[$0] }
        if unit != nil { digits.removeLast() }
        // Nothing else that Double reads, such as exponents and infinity.
        guard digits.utf8.allSatisfy("0123456789.".utf8.contains), let number = Double(digits) else { return nil }
        return Int(exactly: (number * (unit ?? 1)).rounded())
    }
}
