//! A connection to the storage server that can be cut.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::tcp::{OwnedReadHalf, OwnedWriteHalf};
use tokio::net::{TcpListener, TcpStream};

/// Passes everything on, until a connection is to be cut.
pub struct Proxy {
    /// Its address.
    pub endpoint: String,
    /// Connections that will still be cut.
    cuts: AtomicUsize,
}

/// What passes of a connection that is cut: the head of a request and a part of its body.
const PASSING: usize = 2000;

impl Proxy {
    /// Starts one in front of an `http://` address.
    pub async fn start(target: &str) -> Arc<Self> {
        let target = target.trim_start_matches("http://").to_string();
        let listener = listen().await;
        let endpoint = format!("http://{}", listener.local_addr().unwrap());
        let proxy = Arc::new(Self { endpoint, cuts: AtomicUsize::new(0) });
        let shared = Arc::clone(&proxy);
        tokio::spawn(async move {
            while let Ok((client, _)) = listener.accept().await {
                tokio::spawn(pass(client, TcpStream::connect(target.clone()).await.unwrap(), Arc::clone(&shared)));
            }
        });
        proxy
    }

    /// Cuts the next connections in the middle of the first large request that they carry.
    pub fn cut(&self, connections: usize) {
        self.cuts.store(connections, Ordering::SeqCst);
    }

    /// Connections that were not cut yet.
    pub fn left(&self) -> usize {
        self.cuts.load(Ordering::SeqCst)
    }

    fn is_cut(&self) -> bool {
        self.cuts.fetch_update(Ordering::SeqCst, Ordering::SeqCst, |left| left.checked_sub(1)).is_ok()
    }
}

/// Clients remember by address what a storage server has already: no two servers may ever share one.
async fn listen() -> TcpListener {
    static SERVERS: AtomicUsize = AtomicUsize::new(0);
    let (process, server) = (std::process::id(), SERVERS.fetch_add(1, Ordering::SeqCst));
    let own = format!("127.{}.{}.{}:0", process >> 8 & 255, process & 255, 1 + server % 250);
    match TcpListener::bind(own).await {
        Ok(listener) => listener,
        Err(_) => TcpListener::bind("127.0.0.1:0").await.unwrap(), // systems with a single loopback address
    }
}

async fn pass(client: TcpStream, server: TcpStream, proxy: Arc<Proxy>) {
    let ((from_client, to_client), (from_server, to_server)) = (client.into_split(), server.into_split());
    let answers = tokio::spawn(copy(from_server, to_client, None));
    copy(from_client, to_server, Some(proxy)).await;
    answers.abort();
}

/// Both ends close when this returns.
async fn copy(mut from: OwnedReadHalf, mut to: OwnedWriteHalf, proxy: Option<Arc<Proxy>>) {
    let (mut chunk, mut total) = (vec![0; 1 << 16], 0);
    while let Ok(count @ 1..) = from.read(&mut chunk).await {
        total += count;
        if total > PASSING && proxy.as_ref().is_some_and(|proxy| proxy.is_cut()) {
            return;
        }
        if to.write_all(&chunk[..count]).await.is_err() {
            return;
        }
    }
}
