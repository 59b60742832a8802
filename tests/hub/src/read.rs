//! Requests that read.

use super::world::{Blob, Commit, Repository, World};
use super::{Shared, TOKEN, USER};
use axum::Json;
use axum::extract::{Path, State};
use axum::http::{HeaderMap, StatusCode, header};
use axum::response::{IntoResponse, Response};
use serde_json::{Value, json};
use std::sync::Arc;
use std::time::{Duration, SystemTime};
use xet_client::cas_client::DirectAccessClient;

/// A refused request.
pub struct Refusal(pub StatusCode, pub &'static str, pub String);

impl IntoResponse for Refusal {
    fn into_response(self) -> Response {
        let Self(status, code, message) = self;
        (status, [("X-Error-Code", code), ("X-Error-Message", &message)], Json(json!({"error": message})))
            .into_response()
    }
}

type Answer = Result<Response, Refusal>;

/// Whether the token is the right one; an error where there is another.
pub fn is_known(headers: &HeaderMap) -> Result<bool, Refusal> {
    match headers.get(header::AUTHORIZATION).map(|value| value.to_str().unwrap()) {
        None => Ok(false),
        Some(value) if value == format!("Bearer {TOKEN}") => Ok(true),
        Some(_) => Err(Refusal(StatusCode::UNAUTHORIZED, "", "Invalid credentials in Authorization header".into())),
    }
}

/// A repository that the caller may read.
pub fn open<'a>(world: &'a World, id: &str, headers: &HeaderMap) -> Result<&'a Repository, Refusal> {
    let known = is_known(headers)?;
    match world.get(id).filter(|repository| known || !repository.private) {
        Some(repository) => Ok(repository),
        None if known => Err(Refusal(StatusCode::NOT_FOUND, "RepoNotFound", "Repository not found".into())),
        None => Err(Refusal(StatusCode::UNAUTHORIZED, "RepoNotFound", "Invalid username or password.".into())),
    }
}

/// A commit of it.
pub fn at<'a>(repository: &'a Repository, revision: &str) -> Result<&'a Commit, Refusal> {
    let absent = || Refusal(StatusCode::NOT_FOUND, "RevisionNotFound", format!("Invalid rev id: {revision}"));
    repository.at(revision).ok_or_else(absent)
}

pub async fn whoami(headers: HeaderMap) -> Answer {
    if is_known(&headers)? {
        Ok(Json(json!({"type": "user", "name": USER, "auth": {"type": "access_token"}})).into_response())
    } else {
        Err(Refusal(StatusCode::UNAUTHORIZED, "", "Invalid credentials".into()))
    }
}

pub async fn info(
    state: State<Arc<Shared>>,
    Path((owner, name)): Path<(String, String)>,
    headers: HeaderMap,
) -> Answer {
    info_at(state, Path((owner, name, "main".into())), headers).await
}

pub async fn info_at(
    State(shared): State<Arc<Shared>>,
    Path((owner, name, revision)): Path<(String, String, String)>,
    headers: HeaderMap,
) -> Answer {
    let (world, id) = (shared.world(), format!("{owner}/{name}"));
    let repository = open(&world, &id, &headers)?;
    let commit = at(repository, &revision)?;
    let siblings: Vec<Value> = commit.files.keys().map(|path| json!({"rfilename": path})).collect();
    Ok(Json(json!({
        "_id": "0", "id": id, "modelId": id, "sha": commit.sha, "private": repository.private, "gated": false,
        "disabled": false, "tags": [], "downloads": 0, "likes": 0, "siblings": siblings,
    }))
    .into_response())
}

fn entry(path: &str, blob: &Blob) -> Value {
    let mut entry = json!({"type": "file", "path": path, "size": blob.size(), "oid": blob.oid()});
    if let Blob::Large { sha256, size, storage } = blob {
        entry["lfs"] = json!({"oid": sha256, "size": size, "pointerSize": super::world::pointer(sha256, *size).len()});
        entry["xetHash"] = json!(storage);
    }
    entry
}

pub async fn tree(
    State(shared): State<Arc<Shared>>,
    Path((owner, name, revision)): Path<(String, String, String)>,
    headers: HeaderMap,
) -> Answer {
    let world = shared.world();
    let commit = at(open(&world, &format!("{owner}/{name}"), &headers)?, &revision)?;
    Ok(Json(commit.files.iter().map(|(path, blob)| entry(path, blob)).collect::<Vec<_>>()).into_response())
}

pub async fn paths(
    State(shared): State<Arc<Shared>>,
    Path((owner, name, revision)): Path<(String, String, String)>,
    headers: HeaderMap,
    body: String,
) -> Answer {
    // Python sends a form, Rust JSON; a path of a test is found in either.
    let world = shared.world();
    let commit = at(open(&world, &format!("{owner}/{name}"), &headers)?, &revision)?;
    let asked = commit.files.iter().filter(|(path, _)| body.contains(path.as_str()));
    Ok(Json(asked.map(|(path, blob)| entry(path, blob)).collect::<Vec<_>>()).into_response())
}

pub async fn references(
    State(shared): State<Arc<Shared>>,
    Path((owner, name)): Path<(String, String)>,
    headers: HeaderMap,
) -> Answer {
    let world = shared.world();
    let repository = open(&world, &format!("{owner}/{name}"), &headers)?;
    let reference = |kind: &str, name: &str, commit: &str| json!({"name": name, "ref": format!("refs/{kind}/{name}"), "targetCommit": commit});
    let tags: Vec<Value> = repository.tags.iter().map(|(name, commit)| reference("tags", name, commit)).collect();
    let branches = [reference("heads", "main", &repository.head().sha)];
    Ok(Json(json!({"branches": branches, "tags": tags, "converts": []})).into_response())
}

/// The address of the storage server, for callers that may read.
pub async fn storage_token(
    State(shared): State<Arc<Shared>>,
    Path((owner, name, _)): Path<(String, String, String)>,
    headers: HeaderMap,
) -> Answer {
    open(&shared.world(), &format!("{owner}/{name}"), &headers)?;
    Ok(token_of(&shared))
}

/// The answer that leads to the storage server.
pub fn token_of(shared: &Shared) -> Response {
    let expiry = SystemTime::now() + Duration::from_secs(3600);
    let expiry = expiry.duration_since(SystemTime::UNIX_EPOCH).unwrap().as_secs();
    let headers = [
        ("X-Xet-Cas-Url", shared.storage.clone()),
        ("X-Xet-Access-Token", "storage".into()),
        ("X-Xet-Token-Expiration", expiry.to_string()),
    ];
    (headers, Json(json!({"accessToken": "storage", "exp": expiry, "casUrl": shared.storage}))).into_response()
}

pub async fn resolve(
    State(shared): State<Arc<Shared>>,
    Path((owner, name, revision, path)): Path<(String, String, String, String)>,
    headers: HeaderMap,
) -> Answer {
    let (world, id) = (shared.world(), format!("{owner}/{name}"));
    let commit = at(open(&world, &id, &headers)?, &revision)?;
    let sha = commit.sha.clone();
    match commit.files.get(&path) {
        None => {
            let mut answer = Refusal(StatusCode::NOT_FOUND, "EntryNotFound", "Entry not found".into()).into_response();
            answer.headers_mut().insert("X-Repo-Commit", sha.parse().unwrap());
            Ok(answer)
        }
        Some(blob @ Blob::Small(bytes)) => {
            let headers = [("ETag", format!("\"{}\"", blob.oid())), ("X-Repo-Commit", sha)];
            Ok((headers, bytes.clone()).into_response())
        }
        Some(Blob::Large { sha256, size, storage }) => {
            // Another name of this host, as large files come from another host.
            let place = format!("http://localhost:{}/large/{sha256}", shared.port);
            let hub = format!("http://127.0.0.1:{}/api/models/{id}/xet-read-token/{sha}", shared.port);
            let headers = [
                ("Location", place),
                ("X-Repo-Commit", sha.clone()),
                ("X-Linked-Size", size.to_string()),
                ("X-Linked-Etag", format!("\"{sha256}\"")),
                ("X-Xet-Hash", storage.clone()),
                ("Link", format!("<{hub}>; rel=\"xet-auth\"")),
            ];
            Ok((StatusCode::FOUND, headers).into_response())
        }
    }
}

/// A large file without the storage server's own protocol.
pub async fn large(State(shared): State<Arc<Shared>>, Path(sha256): Path<String>) -> Answer {
    let storage = shared.world().large(&sha256);
    let absent = || Refusal(StatusCode::NOT_FOUND, "EntryNotFound", "no such file".into());
    let storage = storage.ok_or_else(absent)?;
    let hash = xet_core_structures::merklehash::MerkleHash::from_hex(&storage).unwrap();
    let bytes = shared.store.get_file_data(&hash, None).await.map_err(|_| absent())?;
    Ok(([("ETag", format!("\"{sha256}\""))], bytes).into_response())
}
