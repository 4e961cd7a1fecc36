internal import CGit2

#if canImport(Glibc)
    internal import Glibc
#elseif canImport(Musl)
    internal import Musl
#else
    internal import Darwin
#endif

/// A file, link or submodule that a tree has anew, or with another content.
struct TreeUpdate {
    let path: TreePath
    let mode: git_filemode_t
    let id: ObjectID
}

extension Repository {
    /// The tree that `base` becomes with `updates`: only the folders that these lie in are looked at, which are a few of thousands.
    ///
    /// - Returns: nil where libgit2 does not do that, as when a file takes the place of a folder.
    func tree(_ base: ObjectID, with updates: [TreeUpdate]) -> ObjectID? {
        guard !updates.isEmpty else { return base }
        var tree: OpaquePointer?
        var id = base.raw
        guard git_tree_lookup(&tree, handle, &id) == 0 else { return nil }
        defer { git_tree_free(tree) }
        let list = updates.map { update in
            git_tree_update(
                action: GIT_TREE_UPDATE_UPSERT, id: update.id.raw, filemode: update.mode,
                path: update.path.withCString { UnsafePointer(strdup($0)) })
        }
        defer { for update in list { free(UnsafeMutableRawPointer(mutating: update.path)) } }
        var result = git_oid()
        guard git_tree_create_updated(&result, handle, tree, list.count, list) == 0 else { return nil }
        return ObjectID(result)
    }
}
