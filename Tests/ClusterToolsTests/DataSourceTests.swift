import Testing

@testable import ClusterTools

@Suite struct DataSourceTests {
    private static let sum = String(repeating: "aB", count: 32)

    @Test func aURLNamesAFile() throws {
        let source = try DataSource("https://example.org/a/iris%20data.csv?download=1#sha256=\(Self.sum)")
        #expect(source.name == "iris data.csv")
        #expect(source.url == "https://example.org/a/iris%20data.csv?download=1")
        #expect(source.sha256 == Self.sum.lowercased())
        #expect(try DataSource("http://h:80/x").sha256 == nil)
    }

    @Test(arguments: [
        "", "iris.data", "file:///etc/passwd", "https://example.org", "https://example.org/", "https://h/..",
        "https://h/.x",
        "https://h/a%2Fb", "https://h/a%0Ab", "https://h/a%ff", "https://h/a%2", "https://h/\"; rm", "https://h/a b",
        "https://h/a\\",
        "https://h/x#md5=1", "https://h/x#sha256=12", "https://h/x#sha256=" + String(repeating: "g", count: 64),
        "https://h/" + String(repeating: "x", count: 201),
    ])
    func whatIsNoneIsRefused(text: String) { #expect(throws: Failure.self) { try DataSource(text) } }
}
