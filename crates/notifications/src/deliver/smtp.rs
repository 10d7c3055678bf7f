//! Mails.

use super::{Channel, Outcome, Refused};
use crate::error::within;
use crate::{ChannelKind, Message, NotifyError};
use async_trait::async_trait;
use lettre::Address;
use lettre::address::Envelope;
use lettre::message::header::{HeaderName, HeaderValue};
use lettre::message::{Mailbox, Message as Mail, SinglePart};
use lettre::transport::smtp::authentication::{Credentials, DEFAULT_MECHANISMS};
use lettre::transport::smtp::client::{AsyncSmtpConnection, TlsParameters};
use lettre::transport::smtp::commands::{Data, Mail as MailFrom, Rcpt};
use lettre::transport::smtp::extension::{ClientId, Extension, MailBodyParameter, MailParameter};
use lettre::transport::smtp::{Error, response::Response};
use serde::{Deserialize, Serialize};
use std::time::{Duration, UNIX_EPOCH};

/// How the connection to the mail server is kept from other eyes.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum SmtpTls {
    /// From the first byte on (port 465).
    #[default]
    Implicit,
    /// By `STARTTLS` (port 587); without it nothing is sent.
    StartTls,
    /// Not at all: a server on this machine.
    None,
}

/// Which mail server, and in whose name.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct SmtpParams {
    /// The server's name.
    pub host: String,
    /// Its port.
    pub port: u16,
    /// TLS.
    pub tls: SmtpTls,
    /// The user, where the server asks for one; the password is no parameter.
    pub user: String,
    /// Who writes: `Name <address>` or an address.
    pub from: String,
    /// The domain behind the `@` of `Message-ID`, and with which the server is greeted.
    pub domain: String,
    /// How long one answer of the server may take (ms).
    pub timeout_ms: u64,
}

impl Default for SmtpParams {
    fn default() -> Self {
        SmtpParams {
            host: String::new(),
            port: 465,
            tls: SmtpTls::Implicit,
            user: String::new(),
            from: String::new(),
            domain: "localhost".to_owned(),
            timeout_ms: 10_000,
        }
    }
}

/// The channel that mails: plain text, with `List-Unsubscribe` and `List-Unsubscribe-Post` (RFC 8058), so that the
/// mail program's own button unsubscribes with one request, and a `Message-ID` made of the key: a second mail of a
/// key, where there is one, can be told by it. A connection a message: what breaks for one breaks for nobody else.
pub struct Smtp {
    params: SmtpParams,
    from: Mailbox,
    tls: Option<TlsParameters>,
    credentials: Option<Credentials>,
}

impl Smtp {
    /// A channel to a server. `password` counts where there is a user.
    ///
    /// # Errors
    /// [`NotifyError::Invalid`] where a parameter will not do.
    pub fn new(params: SmtpParams, password: &str) -> Result<Smtp, NotifyError> {
        let from = params.from.parse().map_err(|error| NotifyError::invalid("smtp.from", format!("{error}")))?;
        let named = |name: &str| {
            let fits = |c: char| c.is_ascii_alphanumeric() || ".-:[]".contains(c);
            !name.is_empty() && name.len() <= 253 && name.chars().all(fits)
        };
        for (what, name) in [("smtp.host", &params.host), ("smtp.domain", &params.domain)] {
            if !named(name) {
                return Err(NotifyError::invalid(what, "it is no name of a machine"));
            }
        }
        within("smtp.timeout_ms", params.timeout_ms as f64, 1.0, 600_000.0)?;
        if params.tls == SmtpTls::None && !params.user.is_empty() {
            return Err(NotifyError::invalid("smtp.tls", "a password is not sent without TLS"));
        }
        let tls = match params.tls {
            SmtpTls::None => None,
            _ => {
                let made = TlsParameters::new_rustls(params.host.clone());
                Some(made.map_err(|error| NotifyError::invalid("smtp.tls", error.to_string()))?)
            }
        };
        let user = params.user.clone();
        let credentials = (!user.is_empty()).then(|| Credentials::new(user, password.to_owned()));
        Ok(Smtp { params, from, tls, credentials })
    }

    /// The mail of a message.
    fn mail(&self, message: &Message, to: Address, now_ms: u64) -> Result<Mail, String> {
        let name = |name: &'static str| HeaderName::new_from_ascii_str(name);
        // Only an address that is one goes into a header as it is.
        let address = message.unsubscribe.as_str();
        let fits = |byte: u8| byte.is_ascii_graphic() && byte != b'<' && byte != b'>';
        if !address.starts_with("https://") && !address.starts_with("http://") || !address.bytes().all(fits) {
            return Err("no address to unsubscribe at: no mail goes without one".to_owned());
        }
        let (leave, post) = (format!("<{address}>"), "List-Unsubscribe=One-Click".to_owned());
        let header = |at: &'static str, value: &str| {
            HeaderValue::dangerous_new_pre_encoded(name(at), value.to_owned(), value.to_owned())
        };
        let text = format!("{}\r\n\r\n{}\r\n\r\n--\r\nUnsubscribe: {address}\r\n", message.body, message.link);
        let subject: String = message.title.chars().filter(|c| !c.is_control()).collect();
        Mail::builder()
            .message_id(Some(format!("<{}@{}>", message.key, self.params.domain)))
            .date(UNIX_EPOCH + Duration::from_millis(now_ms))
            .from(self.from.clone())
            .to(Mailbox::new(None, to))
            .subject(subject)
            .raw_header(header("List-Unsubscribe", &leave))
            .raw_header(header("List-Unsubscribe-Post", &post))
            .singlepart(SinglePart::plain(text))
            .map_err(|error| error.to_string())
    }

    /// A connection that is greeted, encrypted and logged in to.
    async fn connect(&self) -> Result<AsyncSmtpConnection, Error> {
        let greeting = ClientId::Domain(self.params.domain.clone());
        let limit = Some(Duration::from_millis(self.params.timeout_ms));
        let implicit = if self.params.tls == SmtpTls::Implicit { self.tls.clone() } else { None };
        let server = (self.params.host.as_str(), self.params.port);
        let mut connection = AsyncSmtpConnection::connect_tokio1(server, limit, &greeting, implicit, None).await?;
        if let (SmtpTls::StartTls, Some(tls)) = (self.params.tls, &self.tls) {
            connection.starttls(tls.clone(), &greeting).await?;
        }
        if let Some(credentials) = &self.credentials {
            connection.auth(DEFAULT_MECHANISMS, credentials).await?;
        }
        Ok(connection)
    }
}

/// Everything up to the server's word that it waits for the mail: whatever breaks, no mail was sent.
async fn begin(connection: &mut AsyncSmtpConnection, envelope: &Envelope, bytes: &[u8]) -> Result<(), Error> {
    let is_ascii = |address: &Address| AsRef::<str>::as_ref(address).is_ascii();
    let mut options = Vec::new();
    // A server that does not know these refuses them, and says so.
    if !envelope.from().into_iter().chain(envelope.to()).all(is_ascii) {
        options.push(MailParameter::SmtpUtfEight);
    }
    if !bytes.is_ascii() && connection.server_info().supports_feature(Extension::EightBitMime) {
        options.push(MailParameter::Body(MailBodyParameter::EightBitMime));
    }
    connection.command(MailFrom::new(envelope.from().cloned(), options)).await?;
    for to in envelope.to() {
        connection.command(Rcpt::new(to.clone(), Vec::new())).await?;
    }
    connection.command(Data).await.map(|_| ())
}

#[async_trait]
impl Channel for Smtp {
    fn kind(&self) -> ChannelKind {
        ChannelKind::Email
    }

    async fn send(&self, message: &Message, now_ms: u64) -> Outcome {
        let to = message.address.parse::<Address>().map_err(|error| error.to_string());
        let mail = match to.and_then(|to| self.mail(message, to, now_ms)) {
            Ok(mail) => mail,
            Err(reason) => return Outcome::Refused(Refused(reason)),
        };
        let bytes = mail.formatted();
        // Who we are is refused: a matter of the configuration, not of this message.
        let mut connection = match self.connect().await {
            Ok(connection) => connection,
            Err(error) => return Outcome::Failed { reason: told(&error), after_ms: None },
        };
        if let Err(error) = begin(&mut connection, mail.envelope(), &bytes).await {
            connection.abort().await;
            return before_data(&error);
        }
        let outcome = after_data(connection.message(&bytes).await);
        if outcome == Outcome::Accepted {
            // Whether it says goodbye is nobody's matter any more.
            let _ = connection.quit().await;
        }
        outcome
    }
}

/// What an error means before the mail was begun.
fn before_data(error: &Error) -> Outcome {
    match error.is_permanent() {
        true => Outcome::Refused(Refused(told(error))),
        false => Outcome::Failed { reason: told(error), after_ms: None },
    }
}

/// What the end of a mail means: only a word of the server says what became of it.
fn after_data(answer: Result<Response, Error>) -> Outcome {
    match answer {
        Ok(_) => Outcome::Accepted,
        Err(error) if error.is_permanent() => Outcome::Refused(Refused(told(&error))),
        Err(error) if error.is_transient() => Outcome::Failed { reason: told(&error), after_ms: None },
        Err(error) => Outcome::Unknown(told(&error)),
    }
}

fn told(error: &Error) -> String {
    let source = std::error::Error::source(error).map(|source| format!(": {source}")).unwrap_or_default();
    format!("{error}{source}")
}
