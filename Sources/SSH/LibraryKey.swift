internal import CSSH

/// A key of libssh's.
final class LibraryKey {
    let pointer: ssh_key

    /// Takes it over.
    init(_ pointer: ssh_key) { self.pointer = pointer }

    /// A public key. Nil when libssh knows none of this type.
    convenience init?(_ key: HostKey) {
        var pointer: ssh_key?
        let type = ssh_key_type_from_name(key.type)
        guard ssh_pki_import_pubkey_base64(Base64.encode(key.blob), type, &pointer) == SSH_OK, let pointer else {
            return nil
        }
        self.init(pointer)
    }

    /// A private key, from a file's text.
    ///
    /// - Parameter passphrase: What the text is encrypted with. Not nil: or the user would be asked at the terminal.
    convenience init(text: String, passphrase: String) throws {
        var pointer: ssh_key?
        guard ssh_pki_import_privkey_base64(text, passphrase, nil, nil, &pointer) == SSH_OK, let pointer else {
            throw SSHError(.keyUnusable, "it cannot be read: it is damaged, or of a kind that libssh does not know")
        }
        self.init(pointer)
    }

    deinit { ssh_key_free(pointer) }

    /// Nil when libssh cannot tell.
    var publicKey: HostKey? {
        var text: UnsafeMutablePointer<CChar>?
        guard ssh_pki_export_pubkey_base64(pointer, &text) == SSH_OK, let text else { return nil }
        defer { ssh_string_free_char(text) }
        return Base64.decode(String(cString: text).utf8).flatMap { HostKey(blob: $0) }
    }
}
