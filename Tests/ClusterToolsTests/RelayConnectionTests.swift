import Testing

@testable import ClusterTools

@Suite struct RelayConnectionTests {
    func opened(window: Int = 1000, sendWindow: UInt32 = 100) throws -> RelayConnection {
        var connection = RelayConnection(window: window)
        try connection.receive(.opened(window: sendWindow))
        return connection
    }

    func code(_ body: () throws -> Void) -> RelayError.Code? {
        #expect(throws: RelayError.self, performing: body)?.code
    }

    @Test func sendsWithinTheWindow() throws {
        var connection = try opened(sendWindow: 100)
        #expect(try connection.reserve(60) == 60)
        #expect(try connection.reserve(60) == 40)
        #expect(try connection.reserve(60) == 0)
        try connection.receive(.window(increment: 10))
        #expect(try connection.reserve(60) == 10)
    }

    @Test func grantsAgainWhatWasRead() throws {
        var connection = try opened(window: 1000)
        try connection.receive(.data(Array(repeating: 1, count: 1000)))
        var credits: [UInt32] = []
        for _ in 0..<10 {
            guard case .bytes(let bytes, let credit) = try connection.read(upTo: 100) else {
                Issue.record("nothing to read")
                return
            }
            #expect(bytes.count == 100)
            if let credit { credits.append(credit) }
        }
        #expect(credits == [300, 300, 300])
        try connection.receive(.data(Array(repeating: 1, count: 900)))
    }

    @Test func refusesMoreThanItsWindow() throws {
        var connection = try opened(window: 1000)
        try connection.receive(.data(Array(repeating: 1, count: 1000)))
        #expect(code { try connection.receive(.data([1])) } == .protocolViolation)
    }

    @Test func readsBeforeTheEnd() throws {
        var connection = try opened()
        guard case .nothingYet = try connection.read(upTo: 10) else { Issue.record("too early"); return }
        try connection.receive(.data([1, 2, 3]))
        try connection.receive(.eof)
        guard case .bytes([1, 2], nil) = try connection.read(upTo: 2) else { Issue.record("no bytes"); return }
        guard case .bytes([3], nil) = try connection.read(upTo: 2) else { Issue.record("no rest"); return }
        guard case .end = try connection.read(upTo: 2) else { Issue.record("no end"); return }
        #expect(try connection.reserve(1) == 1)  // the other direction goes on
    }

    @Test func readsBeforeTheReset() throws {
        var connection = try opened()
        try connection.receive(.data([1]))
        try connection.receive(.reset)
        guard case .bytes([1], nil) = try connection.read(upTo: 2) else { Issue.record("lost bytes"); return }
        #expect(code { _ = try connection.read(upTo: 2) } == .reset)
        #expect(code { _ = try connection.reserve(2) } == .reset)
        try connection.receive(.data([1]))  // was on its way: ignored
    }

    @Test func refused() throws {
        var connection = RelayConnection(window: 1)
        try connection.receive(.refused(reason: "Connection refused"))
        guard case .over(let error) = connection.phase else { Issue.record("still open"); return }
        #expect(error.code == .refused)
        #expect(error.message == "The worker's port takes no connection: Connection refused")
        #expect(connection.close(isOrderly: false) == nil)
    }

    @Test func finishesOnce() throws {
        var connection = try opened()
        #expect(try connection.finishWriting() == .eof)
        #expect(try connection.finishWriting() == nil)
        #expect(code { _ = try connection.reserve(1) } == .closed)
    }

    @Test func tellsTheWorkerOfItsEnd() throws {
        var opening = RelayConnection(window: 1)
        #expect(opening.close(isOrderly: true) == .reset)

        var halfRead = try opened()
        #expect(halfRead.close(isOrderly: true) == .reset)
        #expect(halfRead.close(isOrderly: true) == nil)

        var notFinishedHere = try opened()
        try notFinishedHere.receive(.eof)
        #expect(notFinishedHere.close(isOrderly: true) == .eof)

        var failedHere = try opened()
        try failedHere.receive(.eof)
        #expect(failedHere.close(isOrderly: false) == .reset)

        var finished = try opened()
        try finished.receive(.eof)
        _ = try finished.finishWriting()
        #expect(finished.close(isOrderly: false) == nil)
        #expect(code { _ = try finished.reserve(1) } == .closed)
    }

    @Test(
        arguments: [.data([]), .open(window: 1), .ping, .opened(window: 1), .refused(reason: "")] as [RelayFrame.Body])
    func refusesWhatDoesNotFit(_ body: RelayFrame.Body) throws {
        var connection = try opened()
        #expect(code { try connection.receive(body) } == .protocolViolation)
    }

    @Test func refusesDataBeforeItIsOpenAndAfterTheEnd() throws {
        var connection = RelayConnection(window: 10)
        #expect(code { try connection.receive(.data([1])) } == .protocolViolation)
        var finished = try opened()
        try finished.receive(.eof)
        #expect(code { try finished.receive(.data([1])) } == .protocolViolation)
        #expect(code { try finished.receive(.eof) } == .protocolViolation)
    }
}
