//! Who may do what: keys with roles.
//!
//! A key is 256 random bits; the configuration keeps only its SHA-256, so a stolen file opens nothing. A key this long
//! needs no slow hash. Without keys the server answers everybody and therefore only listens on this machine.

use crate::ServerError;
use sha2::{Digest, Sha256};
use std::fmt;
use std::io::Read;
use std::net::SocketAddr;
use std::str::FromStr;

/// What a key allows. Each role allows what the one before it allows.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Role {
    /// Ask for feeds, search, look things up.
    Read,
    /// Also send pins, boards, pinners and events.
    Write,
    /// Also the operator console.
    Admin,
}

impl Role {
    const ALL: [Role; 3] = [Role::Read, Role::Write, Role::Admin];

    /// The word used in configuration.
    pub fn as_str(self) -> &'static str {
        match self {
            Role::Read => "read",
            Role::Write => "write",
            Role::Admin => "admin",
        }
    }
}

impl fmt::Display for Role {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

/// A key as the configuration keeps it: `name:role:sha256` with the hash in hex.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Key {
    /// Whose it is, for the log.
    pub name: String,
    /// What it allows.
    pub role: Role,
    hash: [u8; 32],
}

impl Key {
    /// Makes a key: the secret to hand out once, and the line for the configuration.
    ///
    /// # Errors
    /// When the operating system gives no random bytes, or the name has a colon in it.
    pub fn generate(name: &str, role: Role) -> Result<(String, Key), ServerError> {
        if name.is_empty() || name.contains(':') || name.chars().any(char::is_control) {
            return Err(ServerError::BadKey("a key's name is not empty and has no colon".into()));
        }
        let secret = format!("bbk_{}", hex(&random_bytes::<32>()?));
        let hash = hash_of(&secret);
        Ok((secret, Key { name: name.to_owned(), role, hash }))
    }
}

impl fmt::Display for Key {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}:{}:{}", self.name, self.role, hex(&self.hash))
    }
}

impl FromStr for Key {
    type Err = ServerError;

    fn from_str(line: &str) -> Result<Key, ServerError> {
        let bad = |why: &str| ServerError::BadKey(format!("{why} (wanted `name:role:sha256`)"));
        let mut parts = line.trim().split(':');
        let (Some(name), Some(role), Some(hash), None) = (parts.next(), parts.next(), parts.next(), parts.next())
        else {
            return Err(bad("a key has three parts"));
        };
        let role = Role::ALL.into_iter().find(|known| known.as_str() == role);
        let role = role.ok_or_else(|| bad("the role is none of read, write, admin"))?;
        let hash = unhex(hash).ok_or_else(|| bad("the hash is not 64 hexadecimal digits"))?;
        Ok(Key { name: name.to_owned(), role, hash })
    }
}

/// The keys that open this server. None means: everybody on this machine.
#[derive(Clone, Debug, Default)]
pub struct Keys(Vec<Key>);

impl Keys {
    /// The keys of a configuration, one `name:role:sha256` each.
    ///
    /// # Errors
    /// When a line is not a key.
    pub fn parse<'a>(lines: impl IntoIterator<Item = &'a str>) -> Result<Keys, ServerError> {
        lines.into_iter().map(str::parse).collect::<Result<_, _>>().map(Keys)
    }

    /// Whether no key is asked for.
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// The key that a secret opens. Every key is compared, in constant time, so that time tells nothing.
    pub(crate) fn find(&self, secret: &str) -> Option<&Key> {
        let hash = hash_of(secret);
        self.0.iter().fold(None, |found, key| if same(&key.hash, &hash) { Some(key) } else { found })
    }

    /// Refuses to listen on an address that others can reach while no key is asked for.
    ///
    /// # Errors
    /// When `address` is not a loopback address and there are no keys.
    pub fn allow_bind(&self, address: SocketAddr) -> Result<(), ServerError> {
        if self.is_empty() && !address.ip().to_canonical().is_loopback() {
            return Err(ServerError::OpenDoor(address));
        }
        Ok(())
    }
}

fn hash_of(secret: &str) -> [u8; 32] {
    Sha256::digest(secret.as_bytes()).into()
}

fn same(a: &[u8; 32], b: &[u8; 32]) -> bool {
    let difference = a.iter().zip(b).fold(0u8, |all, (x, y)| all | (x ^ y));
    std::hint::black_box(difference) == 0
}

/// Lowercase hexadecimal digits.
pub(crate) fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}

fn unhex(text: &str) -> Option<[u8; 32]> {
    if text.len() != 64 || !text.bytes().all(|byte| byte.is_ascii_hexdigit()) {
        return None;
    }
    let mut bytes = [0; 32];
    for (slot, pair) in bytes.iter_mut().zip(text.as_bytes().chunks(2)) {
        *slot = u8::from_str_radix(std::str::from_utf8(pair).ok()?, 16).ok()?;
    }
    Some(bytes)
}

/// Random bytes of the operating system.
pub(crate) fn random_bytes<const N: usize>() -> Result<[u8; N], ServerError> {
    let mut bytes = [0; N];
    std::fs::File::open("/dev/urandom")
        .and_then(|mut file| file.read_exact(&mut bytes))
        .map_err(ServerError::Random)?;
    Ok(bytes)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_key_opens_by_its_secret_only_and_the_line_keeps_no_secret() {
        let (secret, key) = Key::generate("phone", Role::Write).expect("random bytes");
        let line = key.to_string();
        assert!(!line.contains(&secret[4..]));
        let keys = Keys::parse([line.as_str()]).expect("its own line");
        assert_eq!(keys.find(&secret), Some(&key));
        assert_eq!(keys.find("bbk_0"), None);
        assert_eq!(keys.find(""), None);
    }

    #[test]
    fn lines_that_are_no_keys_say_what_they_lack() {
        let hash = "0".repeat(64);
        for (line, why) in [
            ("x".to_owned(), "three parts"),
            (format!("a:b:c:{hash}"), "three parts"),
            (format!("a:owner:{hash}"), "read, write, admin"),
            ("a:read:12".to_owned(), "64 hexadecimal digits"),
            (format!("a:read:{}é", &hash[2..]), "64 hexadecimal digits"),
        ] {
            let error = line.parse::<Key>().expect_err(&line).to_string();
            assert!(error.contains(why), "{error}");
        }
    }

    #[test]
    fn an_open_server_stays_on_this_machine() {
        let open = Keys::default();
        for address in ["127.0.0.1:80", "[::1]:80", "127.9.9.9:1", "[::ffff:127.0.0.1]:1"] {
            open.allow_bind(address.parse().expect("an address")).expect("loopback");
        }
        for address in ["0.0.0.0:80", "[::]:80", "192.168.1.4:80"] {
            let error = open.allow_bind(address.parse().expect("an address")).expect_err("not loopback");
            assert!(error.to_string().contains("keys"), "{error}");
        }
        let (_, key) = Key::generate("a", Role::Read).expect("random bytes");
        Keys(vec![key]).allow_bind("0.0.0.0:80".parse().expect("an address")).expect("keys are asked for");
    }
}
