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

    /// A private key.
    convenience init(_ key: borrowing SigningKey) throws {
        var pointer: ssh_key?
        let status = try key.withPEM { ssh_pki_import_privkey_base64($0, nil, nil, nil, &pointer) }
        guard status == SSH_OK, let pointer else { throw SSHError(.keyUnusable, "libssh cannot use it") }
        self.init(pointer)
    }

    deinit { ssh_key_free(pointer) }

    /// The public part in ssh's encoding.
    var publicBlob: [UInt8]? {
        var text: UnsafeMutablePointer<CChar>?
        guard ssh_pki_export_pubkey_base64(pointer, &text) == SSH_OK, let text else { return nil }
        defer { ssh_string_free_char(text) }
        return Base64.decode(String(cString: text).utf8)
    }
}
