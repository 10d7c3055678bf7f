//! What keeps the server from serving at all. What goes wrong in a request is a problem document.

use std::net::SocketAddr;

/// Why the server could not start, or could not end well.
#[derive(Debug, thiserror::Error)]
pub enum ServerError {
    /// A key cannot be read or made.
    #[error("{0}")]
    BadKey(String),
    /// The operating system gives no random bytes.
    #[error("no random bytes for a key: {0}")]
    Random(std::io::Error),
    /// Others could reach the server, and nobody would be asked for a key.
    #[error(
        "{0} can be reached from other machines, and no keys are configured: listen on 127.0.0.1, or make a key first"
    )]
    OpenDoor(SocketAddr),
    /// What was asked for is no path, or has no answer.
    #[error("'{0}' cannot be asked for")]
    BadPath(String),
    /// The listener is gone.
    #[error("the listener has no address: {0}")]
    Listen(std::io::Error),
    /// What was served could not be written down to the end.
    #[error("the last request records were not written: {0}")]
    Records(String),
}
