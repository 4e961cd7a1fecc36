import Testing

@testable import Slurm

struct HostListTests {
    @Test(arguments: [
        ("n1", ["n1"]), ("n[1-3,7],gpu-02", ["n1", "n2", "n3", "n7", "gpu-02"]),
        ("n[08-11]", ["n08", "n09", "n10", "n11"]),
        ("r[1-2]n[01-02]", ["r1n01", "r1n02", "r2n01", "r2n02"]), ("n[1-2].ib,x", ["n1.ib", "n2.ib", "x"]),
        ("n[007]", ["n007"]), ("n[98-101]", ["n98", "n99", "n100", "n101"]), ("", []), ("a,b", ["a", "b"]),
    ])
    func expands(list: String, hosts: [String]) throws {
        #expect(try HostList.expand(list) == hosts)
    }

    @Test(arguments: ["n[1-3", "n1-3]", "n[a]", "n[3-1]", "n[]", "n[1,]", "n[1-2-3]", "n[[1]]", "n[-1]"])
    func refusesWhatIsNoList(list: String) {
        #expect(throws: SlurmError.self) { try HostList.expand(list) }
    }

    @Test func aListIsBounded() throws {
        for list in ["n[1-999999999]", "a[1-1000]b[1-1000]", "n[1-6],m[1-6]"] {
            let error = #expect(throws: SlurmError.self) { try HostList.expand(list, limit: 10) }
            #expect(error?.message == "a list of too many hosts")
        }
        #expect(try HostList.expand("n[1-10]", limit: 10).count == 10)
    }
}
