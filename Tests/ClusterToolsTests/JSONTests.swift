import Testing

@testable import ClusterTools

struct JSONTests {
    @Test func keepsOrderAndSpelling() throws {
        let value = try JSONValue(parsing: #" {"z": 1.0, "a": [true, null, -2e+3, "x"], "m": {}} "#)
        #expect(
            value
                == .object([
                    .init("z", .number("1.0")),
                    .init("a", .array([true, .null, .number("-2e+3"), "x"])),
                    .init("m", .object([])),
                ]))
        #expect(value["z"] == .number("1.0"))
        #expect(value["y"] == nil)
    }

    @Test func decodesEscapes() throws {
        let text = #""\"\\\/\b\f\n\r\t\u00e9\ud83d\ude00é""#
        #expect(try JSONValue(parsing: text) == .string("\"\\/\u{8}\u{c}\n\r\t\u{e9}\u{1F600}é"))
    }

    @Test func aByteOrderMarkIsTolerated() throws {
        #expect(try JSONValue(parsing: [0xEF, 0xBB, 0xBF] + Array("[1]".utf8)) == .array([1]))
        let error = #expect(throws: JSONSyntaxError.self) {
            try JSONValue(parsing: [0xEF, 0xBB, 0xBF] + Array("[1".utf8))
        }
        #expect(error?.column == 3)
    }

    @Test func whatIsWrittenReadsBack() throws {
        let value = JSONValue.object([
            .init("a \"b\"\n\u{1}\u{7f}", .array([.null, true, false, -3, "\\ é \u{1F600}"])), .init("", .object([])),
        ])
        #expect(try JSONValue(parsing: value.description) == value)
        #expect(value.description == #"{"a \"b\"\n\u0001\u007f":[null,true,false,-3,"\\ é 😀"],"":{}}"#)
    }

    @Test(arguments: [
        ("", "1:1: the document is empty"),
        ("{\"a\": 1,\n  \"é\" 2}", "2:7: expected : after \"é\", found 2"),
        ("{\"a\": 1,\n}", "2:1: a comma before } is not allowed in JSON"),
        ("[1, ]", "1:5: a comma before ] is not allowed in JSON"),
        ("{\"a\": 1 \"b\": 2}", "1:9: expected , or } after the value of \"a\", found \""),
        ("{\"a\": 1, \"a\": 2}", "1:10: \"a\" is given twice"),
        ("{a: 1}", "1:2: expected a name in double quotes, found a"),
        ("{'a': 1}", "1:2: expected a name in double quotes, found '"),
        ("{\"a\": 'x'}", "1:7: JSON strings are in double quotes, not single ones"),
        ("{\"a\": yes}", "1:7: expected a value, found yes: strings are in double quotes"),
        ("{\"a\": 10:00:00}", "1:9: expected , or } after the value of \"a\", found :"),
        ("{\"a\": 12G}", "1:7: not a number; as a string it needs double quotes"),
        ("[01]", "1:2: not a number; as a string it needs double quotes"),
        ("[-]", "1:2: not a number"),
        ("[1.]", "1:2: not a number"),
        ("\"abc", "1:1: a string that does not end"),
        ("\"abc\n\"", "1:1: a string that does not end in its line"),
        ("\"a\tb\"", "1:3: a control character in a string must be written as \\u0009"),
        ("\"\\x\"", "1:2: no such escape; a backslash itself is written \\\\"),
        ("\"\\u12\"", "1:2: \\u needs four hexadecimal digits"),
        ("\"\\ud83d\"", "1:2: half a character: a surrogate without its other half"),
        ("{} // x", "1:4: unexpected / after the end of the document"),
        ("[ // x\n]", "1:3: JSON has no comments"),
        ("[1", "1:3: expected , or ] in the list, found the end of the document"),
    ])
    func errorsNameThePlace(text: String, message: String) {
        let error = #expect(throws: JSONSyntaxError.self) { try JSONValue(parsing: text) }
        #expect(error?.description == message)
    }

    /// Documents with a byte or two changed: whatever comes of them, it is a value that reads back, or an error with a place.
    @Test func damagedDocumentsAreErrorsOrValues() throws {
        let document = Array(#"{"a": [1, -2.5e3, true, null, "x\u00e9\ud83d\ude00 é\n"], "b": {"c": ""}}"#.utf8)
        let interesting = Array("{}[]\",:\\u0-.eE tfn/'\n\u{e9}".utf8) + [0, 0x80, 0xFF]
        var values = 0
        for position in document.indices {
            for byte in interesting {
                var damaged = document
                damaged[position] = byte
                do {
                    let value = try JSONValue(parsing: damaged)
                    #expect(try JSONValue(parsing: value.description) == value)
                    values += 1
                } catch {
                    #expect(error.line >= 1 && error.column >= 1 && error.column <= document.count + 1)
                }
            }
            #expect(throws: JSONSyntaxError.self) { try JSONValue(parsing: Array(document[..<position])) }
        }
        #expect(values > 0)
    }

    @Test func bytesThatAreNoTextAreRefused() {
        let error = #expect(throws: JSONSyntaxError.self) { try JSONValue(parsing: [0x22, 0xFF, 0x22]) }
        #expect(error?.description == "1:1: a string that is not UTF-8")
    }

    @Test func depthIsBounded() {
        let error = #expect(throws: JSONSyntaxError.self) {
            try JSONValue(parsing: String(repeating: "[", count: 100_000))
        }
        #expect(error?.message == "nested too deeply")
        #expect(throws: Never.self) {
            try JSONValue(parsing: String(repeating: "[", count: 200) + String(repeating: "]", count: 200))
        }
    }
}
