import Foundation
import Testing

@testable import Git

@Suite("What configuration and attributes do to a snapshot", .timeLimit(.minutes(2)))
struct ConfigurationTests {
    @Test("who commits: the configuration, else the given author, else this machine's user")
    func author() throws {
        try Lab.with { lab in
            let sandbox = try lab.committed()
            try sandbox.write("main.py", "1\n")
            let fallback = try sandbox.snapshot { $0.fallbackAuthor = Author(name: "A <B>\n", email: "a@b") }
            #expect(try sandbox.git("log", "-1", "--format=%an <%ae> %cn", fallback.commit) == "A B <a@b> A B")
            try sandbox.write("main.py", "2\n")
            let system = try sandbox.snapshot()
            #expect(try sandbox.git("log", "-1", "--format=%ae", system.commit).contains("@"))
            try sandbox.git("config", "user.name", "Ünï Cödé")
            try sandbox.git("config", "user.email", "uni@example.org")
            try sandbox.write("main.py", "3\n")
            let configured = try sandbox.snapshot()
            #expect(
                try sandbox.git("log", "-1", "--format=%an <%ae>", configured.commit) == "Ünï Cödé <uni@example.org>")
        }
    }

    @Test("the time of the commit is now, in the local zone")
    func time() throws {
        try Lab.with { lab in
            let sandbox = try lab.committed()
            try sandbox.write("main.py", "1\n")
            let snapshot = try sandbox.snapshot()
            let seconds = try #require(Int(try sandbox.git("log", "-1", "--format=%ct", snapshot.commit)))
            #expect(abs(seconds - Int(Date().timeIntervalSince1970)) < 60)
            let stamp = try sandbox.git("log", "-1", "--date=format:%Y%m%d-%H%M%S", "--format=%cd", snapshot.commit)
            #expect(snapshot.reference?.hasSuffix(stamp) == true)
        }
    }

    @Test("neither hooks nor signing take part")
    func hooks() throws {
        try Lab.with { lab in
            let sandbox = try lab.committed()
            for hook in ["pre-commit", "commit-msg", "post-commit", "reference-transaction", "prepare-commit-msg"] {
                try sandbox.write(".git/hooks/\(hook)", "#!/bin/sh\ntouch ran\nexit 1\n", mode: 0o755)
            }
            try sandbox.git("config", "commit.gpgSign", "true")
            try sandbox.git("config", "user.signingKey", "nobody")
            try sandbox.git("config", "i18n.commitEncoding", "ISO-8859-1")
            try sandbox.write("main.py", "changed\n")
            let snapshot = try sandbox.snapshot()
            #expect(!(try sandbox.git("cat-file", "commit", snapshot.commit).contains("gpgsig")))
            #expect(!FileManager.default.fileExists(atPath: sandbox.path + "/ran"))
        }
    }

    @Test("line ends become what git would store", arguments: ["true", "input", "false"])
    func autocrlf(_ setting: String) throws {
        try Lab.with { lab in
            let sandbox = try lab.repository()
            try sandbox.write("had-cr.txt", "a\r\nb\r\n")
            try sandbox.commit()
            try sandbox.git("config", "core.autocrlf", setting)
            try sandbox.git("config", "core.safecrlf", "true")
            try sandbox.write("had-cr.txt", "a\r\nb\r\nc\r\n")
            try sandbox.write("new.txt", "a\r\nb\r\n")
            try sandbox.write("binary.bin", [0, 13, 10, 0, 13, 10])
            try sandbox.write(".gitattributes", "*.win text eol=crlf\n*.raw -text\n")
            try sandbox.write("text.win", "a\r\nb\n")
            try sandbox.write("text.raw", "a\r\nb\n")
            let snapshot = try sandbox.snapshot()
            let expected = setting == "false" ? "a\r\nb\r\n" : "a\nb\n"
            #expect(try sandbox.open().text(of: snapshot.entry("new.txt")) == expected)
        }
    }

    @Test("$Id$ is stored without what it expands to")
    func ident() throws {
        try Lab.with { lab in
            let sandbox = try lab.committed()
            try sandbox.write(".gitattributes", "*.id ident\n")
            try sandbox.write("version.id", "$Id: 0123456789 $\n")
            #expect(try sandbox.open().text(of: sandbox.snapshot().entry("version.id")) == "$Id$\n")
        }
    }

    @Test("core.fileMode=false: modes are those that git has")
    func fileMode() throws {
        try Lab.with { lab in
            let sandbox = try lab.committed()
            try sandbox.git("config", "core.fileMode", "false")
            try sandbox.write("run.sh", "#!/bin/sh\necho\n", mode: 0o644)
            try sandbox.write("main.py", "changed\n", mode: 0o755)
            try sandbox.write("new.sh", "#!/bin/sh\n", mode: 0o755)
            let snapshot = try sandbox.snapshot()
            #expect(try snapshot.entry("run.sh").kind == .file(executable: true))
            #expect(try snapshot.entry("main.py").kind == .file(executable: false))
            #expect(try snapshot.entry("new.sh").kind == .file(executable: false))
        }
    }

    @Test("core.symlinks=false: a text file in a link's place is the link")
    func symlinks() throws {
        try Lab.with { lab in
            let sandbox = try lab.committed()
            try sandbox.git("config", "core.symlinks", "false")
            try sandbox.remove("latest")
            try sandbox.write("latest", "main.py")
            let snapshot = try sandbox.snapshot()
            #expect(try snapshot.entry("latest").kind == .symlink)
            #expect(try sandbox.open().text(of: snapshot.entry("latest")) == "main.py")
        }
    }

    @Test("core.ignoreCase=true: the tree and the entries are in git's order all the same")
    func ignoreCase() throws {
        try Lab.with { lab in
            let sandbox = try lab.repository()
            for name in ["B.py", "a.py", "C/x.py", "b2.py", "Z"] { try sandbox.write(name, "\(name)\n") }
            try sandbox.commit()
            try sandbox.git("config", "core.ignoreCase", "true")
            try sandbox.write("a.py", "changed\n")
            try sandbox.write("Aa.py", "new\n")
            try sandbox.write("C/Y.py", "new\n")
            #expect(try sandbox.snapshot().paths == ["Aa.py", "B.py", "C/Y.py", "C/x.py", "Z", "a.py", "b2.py"])
        }
    }

    @Test("files that git knows in a folder that is ignored: unchanged, changed, gone, and new ones beside them")
    func trackedInIgnoredFolder() throws {
        try Lab.with { lab in
            let sandbox = try lab.committed()
            for name in ["same", "changed", "gone"] { try sandbox.write("store/deep/\(name)", "\(name)\n") }
            try sandbox.commit()
            try sandbox.write(".gitignore", "store/\n")
            try sandbox.write("store/deep/changed", "differently\n")
            try sandbox.remove("store/deep/gone")
            try sandbox.write("store/deep/new", "not wanted\n")
            let snapshot = try sandbox.snapshot()
            #expect(snapshot.paths.filter { $0.hasPrefix("store/") } == ["store/deep/changed", "store/deep/same"])
            #expect(snapshot.changes == ChangeCounts(modified: 2, deleted: 1))
        }
    }

    @Test("ignore files: negations, folders, info/exclude, nested ones, and tracked files that match")
    func ignores() throws {
        try Lab.with { lab in
            let sandbox = try lab.repository()
            try sandbox.write("kept.log", "tracked although ignored\n")
            try sandbox.commit()
            try sandbox.write(
                ".gitignore", "*.log\n!important.log\n/out/*\n!/out/keep/\ncache/\n**/tmp\n\\#odd\nspace\\ \n")
            try sandbox.write(".git/info/exclude", "private\n")
            try sandbox.write("sub/.gitignore", "*\n!*.py\n!.gitignore\n")
            for name in [
                "kept.log", "noise.log", "important.log", "out/a", "out/keep/b", "cache/c", "deep/cache/d", "x/tmp/e",
                "#odd",
                "private", "sub/a.py", "sub/a.txt", "sub/more/b.py", "space ", "tmpfile",
            ] {
                try sandbox.write(name, "\(name)\n")
            }
            let snapshot = try sandbox.snapshot()
            #expect(snapshot.paths.contains("kept.log"))
            #expect(snapshot.paths.contains("out/keep/b"))
            #expect(!snapshot.paths.contains("noise.log"))
        }
    }

    @Test("an unknown filter is not run, and that is said")
    func filters() throws {
        try Lab.with { lab in
            let sandbox = try lab.repository()
            try sandbox.git("config", "filter.shout.clean", "tr a-z A-Z")
            try sandbox.git("config", "filter.shout.smudge", "tr A-Z a-z")
            try sandbox.write(".gitattributes", "*.txt filter=shout\n")
            try sandbox.write("clean.txt", "clean\n")
            try sandbox.write("changed.txt", "before\n")
            try sandbox.commit()
            #expect(try sandbox.git("show", "HEAD:clean.txt") == "CLEAN")
            try sandbox.write("changed.txt", "after\n")
            let snapshot = try sandbox.snapshot(comparing: false)
            #expect(snapshot.warnings == [.filterNotRun("shout", ["changed.txt"])])
            let repository = try sandbox.open()
            // What the user has, in both cases.
            #expect(try repository.text(of: snapshot.entry("clean.txt")) == "clean\n")
            #expect(try repository.text(of: snapshot.entry("changed.txt")) == "after\n")
            #expect(try sandbox.git("show", "\(snapshot.commit):clean.txt") == "CLEAN")
            try sandbox.write("clean.txt", "other\n")
            #expect(try failure { _ = try repository.read(snapshot.entry("clean.txt")) }.code == .changedFile)
        }
    }
}
