//! A Hub on the loopback address: its API in `read.rs` and `write.rs`, what it holds in `world.rs`, faults in
//! `fault.rs`. Large files lie in Hugging Face's own storage server (`xet-client`), behind a `proxy.rs`
//! that can cut connections.

pub mod fault;
mod proxy;
mod read;
pub mod world;
mod write;

pub use fault::Fault;

use axum::Router;
use axum::extract::{Request, State};
use axum::middleware::{Next, from_fn_with_state};
use axum::response::Response;
use axum::routing::{get, post, put};
use fault::Faults;
use proxy::Proxy;
use std::path::PathBuf;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, MutexGuard};
use tokio::net::TcpListener;
use tokio::runtime::Runtime;
use world::World;
use xet_client::cas_client::{LocalClient, LocalTestServer, LocalTestServerBuilder};
use xet_runtime::core::XetContext;

/// The token that may read and write everything.
pub const TOKEN: &str = "hf_LoopbackSecret0123456789";

/// Who it belongs to.
pub const USER: &str = "somebody";

/// The state of every handler.
pub struct Shared {
    world: Mutex<World>,
    /// Injected faults.
    pub faults: Faults,
    /// Every request as "METHOD path".
    requests: Mutex<Vec<String>>,
    store: Arc<LocalClient>,
    /// Where clients find the storage server.
    storage: String,
    /// Where they find this one.
    port: u16,
    /// A file that another user commits just before the next commit.
    pub intruder: Mutex<Option<(String, Vec<u8>)>>,
    /// Whether large files go to the storage server; where not, they may stand in the commit.
    pub is_small_only: AtomicBool,
}

impl Shared {
    /// What the Hub holds.
    pub fn world(&self) -> MutexGuard<'_, World> {
        self.world.lock().unwrap()
    }

    fn takes_large(&self) -> bool {
        !self.is_small_only.load(Ordering::SeqCst)
    }
}

/// A running Hub; it stops when it is dropped.
pub struct Server {
    pub shared: Arc<Shared>,
    /// Its address.
    pub endpoint: String,
    /// In front of the storage server.
    pub proxy: Arc<Proxy>,
    folder: PathBuf,
    runtime: Option<Runtime>,
    _place: tempfile::TempDir,
    _storage: LocalTestServer,
}

impl Server {
    /// Starts one that holds nothing.
    pub fn start() -> Self {
        let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(2).enable_all().build().unwrap();
        let place = tempfile::tempdir().unwrap();
        let folder = place.path().join("storage");
        let (shared, endpoint, proxy, storage) = runtime.block_on(serve(folder.clone()));
        Self { shared, endpoint, proxy, folder, runtime: Some(runtime), _place: place, _storage: storage }
    }

    /// Every request so far whose "METHOD path" holds a text.
    pub fn requests(&self, part: &str) -> usize {
        self.shared.requests.lock().unwrap().iter().filter(|request| request.contains(part)).count()
    }

    /// Every request so far that changes something.
    pub fn writes(&self) -> Vec<String> {
        let requests = self.shared.requests.lock().unwrap();
        requests.iter().filter(|request| !request.starts_with("GET") && !request.starts_with("HEAD")).cloned().collect()
    }

    /// Changes one byte of everything that the storage server keeps, where it keeps it.
    pub fn damage_storage(&self) -> usize {
        let stored = walkdir::WalkDir::new(self.folder.join("xorbs")).into_iter().filter_map(|entry| entry.ok());
        let is_content = |entry: &walkdir::DirEntry| entry.metadata().unwrap().len() > 1000;
        let files = stored.filter(|entry| entry.file_type().is_file() && is_content(entry));
        let damage = |entry: walkdir::DirEntry| {
            let mut bytes = std::fs::read(entry.path()).unwrap();
            bytes[100] ^= 1; // behind the header of the first chunk, inside what it holds
            let mut rights = std::fs::metadata(entry.path()).unwrap().permissions();
            #[allow(clippy::permissions_set_readonly_false)] // a file of this test's own folder
            rights.set_readonly(false);
            std::fs::set_permissions(entry.path(), rights).unwrap();
            std::fs::write(entry.path(), bytes).unwrap();
        };
        files.map(damage).count()
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        if let Some(runtime) = self.runtime.take() {
            runtime.shutdown_background();
        }
    }
}

async fn serve(folder: PathBuf) -> (Arc<Shared>, String, Arc<Proxy>, LocalTestServer) {
    let store = LocalClient::new(XetContext::default().unwrap(), &folder).await.unwrap();
    let storage = LocalTestServerBuilder::new().with_client(store.clone()).start().await;
    let proxy = Proxy::start(storage.http_endpoint()).await;
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let port = listener.local_addr().unwrap().port();
    let shared = Arc::new(Shared {
        world: Mutex::default(),
        faults: Faults::default(),
        requests: Mutex::default(),
        store,
        storage: proxy.endpoint.clone(),
        port,
        intruder: Mutex::default(),
        is_small_only: AtomicBool::default(),
    });
    let router = routes(Arc::clone(&shared));
    tokio::spawn(async move { axum::serve(listener, router).await });
    (shared, format!("http://127.0.0.1:{port}"), proxy, storage)
}

fn routes(shared: Arc<Shared>) -> Router {
    Router::new()
        .route("/api/whoami-v2", get(read::whoami))
        .route("/api/validate-yaml", post(write::validate))
        .route("/api/repos/create", post(write::create))
        .route("/api/models/{owner}/{name}", get(read::info))
        .route("/api/models/{owner}/{name}/revision/{revision}", get(read::info_at))
        .route("/api/models/{owner}/{name}/tree/{revision}", get(read::tree))
        .route("/api/models/{owner}/{name}/paths-info/{revision}", post(read::paths))
        .route("/api/models/{owner}/{name}/refs", get(read::references))
        .route("/api/models/{owner}/{name}/settings", put(write::settings))
        .route("/api/models/{owner}/{name}/preupload/{revision}", post(write::preupload))
        .route("/api/models/{owner}/{name}/commit/{revision}", post(write::commit))
        .route("/api/models/{owner}/{name}/tag/{revision}", post(write::tag))
        .route("/api/models/{owner}/{name}/xet-read-token/{revision}", get(read::storage_token))
        .route("/api/models/{owner}/{name}/xet-write-token/{revision}", get(write::storage_token))
        .route("/{owner}/{name}/info/lfs/objects/batch", post(write::batch))
        .route("/{owner}/{name}/resolve/{revision}/{*path}", get(read::resolve))
        .route("/large/{sha256}", get(read::large))
        .layer(from_fn_with_state(Arc::clone(&shared), watch))
        .with_state(shared)
}

/// Records the request, and injects faults that come before it is handled.
async fn watch(State(shared): State<Arc<Shared>>, request: Request, next: Next) -> Response {
    let line = format!("{} {}", request.method(), request.uri().path());
    shared.requests.lock().unwrap().push(line.clone());
    match shared.faults.before(&line) {
        Some(answer) => answer,
        None => shared.faults.after(&line, next.run(request).await).await,
    }
}
