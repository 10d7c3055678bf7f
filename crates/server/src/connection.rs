//! Connections: how many, how slow, and how they end.

use crate::App;
use crate::error::ServerError;
use crate::limits::Limits;
use crate::routes;
use axum::Router;
use axum::body::{Body, Bytes, to_bytes};
use axum::http::{Request, StatusCode};
use hyper::body::Incoming;
use hyper::server::conn::http1;
use hyper_util::rt::{TokioIo, TokioTimer};
use hyper_util::service::TowerToHyperService;
use std::future::Future;
use std::pin::{Pin, pin};
use std::sync::Arc;
use std::task::{Context, Poll, ready};
use std::time::Duration;
use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::{OwnedSemaphorePermit, Semaphore, watch};
use tokio::time::{Instant, Sleep};
use tower::ServiceExt;

const HEADERS_BYTES_MAX: usize = 64 << 10;
const HEADERS_WAIT: Duration = Duration::from_secs(30);
const ACCEPT_AGAIN: Duration = Duration::from_millis(50);

/// Answers on `listener` until `stop` is done; then takes no new connection, lets requests under way finish, and writes
/// down what is still to be written.
///
/// # Errors
/// When the address can be reached from elsewhere and no keys are configured, or the last records cannot be written.
pub async fn serve(listener: TcpListener, app: App, stop: impl Future<Output = ()> + Send) -> Result<(), ServerError> {
    app.allow_bind(listener.local_addr().map_err(ServerError::Listen)?)?;
    let reception = Reception::new(routes::router(app.clone()), app.limits());
    reception.until(&listener, stop).await;
    drop(listener);
    tracing::info!("stopping: requests under way are finished");
    if tokio::time::timeout(app.limits().drain(), reception.empty()).await.is_err() {
        tracing::warn!("some requests did not finish in time and were left");
    }
    app.close().await
}

/// Tells whoever asks on `listener` that the server is alive and not ready, until `opened` is done. [`serve`] goes on
/// from there, on another handle of the same socket.
pub async fn greet(listener: TcpListener, limits: &Limits, opened: impl Future<Output = ()> + Send) {
    Reception::new(routes::greeting(), limits).until(&listener, opened).await;
}

/// Answers one GET of `path` without a socket: nobody else can ask meanwhile, so no key is needed. What is to be
/// written down of it is written.
///
/// # Errors
/// When the path is none, or the last records cannot be written.
pub async fn ask(app: App, path: &str) -> Result<(StatusCode, Bytes), ServerError> {
    let request = Request::get(path).body(Body::empty()).map_err(|_| ServerError::BadPath(path.to_owned()))?;
    let Ok(response) = routes::router(app.clone()).oneshot(request).await;
    let status = response.status();
    let body = to_bytes(response.into_body(), usize::MAX).await;
    app.close().await?;
    body.map(|body| (status, body)).map_err(|_| ServerError::BadPath(path.to_owned()))
}

/// Where connections come in that one router answers.
struct Reception {
    router: Router,
    places: Arc<Semaphore>,
    places_max: u32,
    leave: watch::Sender<bool>,
}

impl Reception {
    fn new(router: Router, limits: &Limits) -> Reception {
        let places_max = u32::try_from(limits.connections_max.max(1)).unwrap_or(u32::MAX);
        let places = Arc::new(Semaphore::new(places_max as usize));
        Reception { router, places, places_max, leave: watch::Sender::new(false) }
    }

    /// Takes connections until `end` is done; those that are there then leave after the request under way.
    async fn until(&self, listener: &TcpListener, end: impl Future<Output = ()> + Send) {
        let mut end = pin!(end);
        loop {
            let stream = tokio::select! {
                () = &mut end => break,
                accepted = accept(listener, &self.places) => accepted,
            };
            if let Some((stream, place)) = stream {
                tokio::spawn(converse(stream, place, self.router.clone(), self.leave.subscribe()));
            }
        }
        self.leave.send_replace(true);
    }

    /// Returns when the last connection has ended.
    async fn empty(&self) {
        // The semaphore is never closed.
        let _ = self.places.acquire_many(self.places_max).await;
    }
}

/// The next connection, when there is a place for it.
async fn accept(listener: &TcpListener, places: &Arc<Semaphore>) -> Option<(TcpStream, OwnedSemaphorePermit)> {
    let place = places.clone().acquire_owned().await.ok()?;
    match listener.accept().await {
        Ok((stream, _)) => Some((stream, place)),
        Err(error) => {
            // Out of file handles, or the peer left again: neither ends the server.
            tracing::warn!(%error, "a connection could not be accepted");
            tokio::time::sleep(ACCEPT_AGAIN).await;
            None
        }
    }
}

async fn converse(stream: TcpStream, place: OwnedSemaphorePermit, router: Router, mut leaving: watch::Receiver<bool>) {
    let _place = place;
    let _ = stream.set_nodelay(true);
    let service = router.map_request(|request: Request<Incoming>| request.map(Body::new));
    let connection = http1::Builder::new()
        .timer(TokioTimer::new())
        .header_read_timeout(HEADERS_WAIT)
        .max_buf_size(HEADERS_BYTES_MAX)
        .serve_connection(TokioIo::new(Lingering::new(stream)), TowerToHyperService::new(service));
    let mut connection = pin!(connection);
    let ended = tokio::select! {
        ended = &mut connection => Some(ended),
        () = told(&mut leaving) => None,
    };
    let ended = match ended {
        Some(ended) => ended,
        None => {
            connection.as_mut().graceful_shutdown();
            connection.await
        }
    };
    if let Err(error) = ended {
        tracing::debug!(%error, "a connection ended early");
    }
}

/// Returns once the server is told to stop.
async fn told(leaving: &mut watch::Receiver<bool>) {
    // The sender outlives every connection; were it gone, leaving is right as well.
    let _ = leaving.wait_for(|leaving| *leaving).await;
}

/// A stream that, after its last answer, reads on for a moment before it closes. Without that, closing while the peer
/// is still sending resets the connection, and an early answer such as 413 never arrives.
struct Lingering {
    stream: TcpStream,
    rest: Option<Rest>,
}

/// What the peer still sends after the last answer.
struct Rest {
    bytes: usize,
    /// When reading ends, however much comes.
    until: Instant,
    /// When it ends if nothing comes.
    quiet: Pin<Box<Sleep>>,
}

const LINGER: Duration = Duration::from_millis(500);
const LINGER_MAX: Duration = Duration::from_secs(5);
const LINGER_BYTES_MAX: usize = 64 << 20;

impl Lingering {
    fn new(stream: TcpStream) -> Lingering {
        Lingering { stream, rest: None }
    }
}

impl AsyncRead for Lingering {
    fn poll_read(mut self: Pin<&mut Self>, cx: &mut Context<'_>, buf: &mut ReadBuf<'_>) -> Poll<std::io::Result<()>> {
        Pin::new(&mut self.stream).poll_read(cx, buf)
    }
}

impl AsyncWrite for Lingering {
    fn poll_write(mut self: Pin<&mut Self>, cx: &mut Context<'_>, buf: &[u8]) -> Poll<std::io::Result<usize>> {
        Pin::new(&mut self.stream).poll_write(cx, buf)
    }

    fn poll_write_vectored(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        bufs: &[std::io::IoSlice<'_>],
    ) -> Poll<std::io::Result<usize>> {
        Pin::new(&mut self.stream).poll_write_vectored(cx, bufs)
    }

    fn is_write_vectored(&self) -> bool {
        self.stream.is_write_vectored()
    }

    fn poll_flush(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<std::io::Result<()>> {
        Pin::new(&mut self.stream).poll_flush(cx)
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<std::io::Result<()>> {
        let this = &mut *self;
        if this.rest.is_none() {
            ready!(Pin::new(&mut this.stream).poll_shutdown(cx))?;
            let (until, quiet) = (Instant::now() + LINGER_MAX, Box::pin(tokio::time::sleep(LINGER)));
            this.rest = Some(Rest { bytes: 0, until, quiet });
        }
        let Some(Rest { bytes, until, quiet }) = &mut this.rest else { return Poll::Ready(Ok(())) };
        let mut scratch = [0; 8 << 10];
        loop {
            let mut buffer = ReadBuf::new(&mut scratch);
            match Pin::new(&mut this.stream).poll_read(cx, &mut buffer) {
                Poll::Ready(Ok(())) if !buffer.filled().is_empty() && *bytes < LINGER_BYTES_MAX => {
                    *bytes += buffer.filled().len();
                    quiet.as_mut().reset((Instant::now() + LINGER).min(*until));
                }
                Poll::Ready(_) => return Poll::Ready(Ok(())),
                Poll::Pending => return quiet.as_mut().poll(cx).map(Ok),
            }
        }
    }
}
