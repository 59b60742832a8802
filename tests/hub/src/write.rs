//! Requests that write.

use super::read::{Refusal, is_known, open, token_of};
use super::world::{Blob, sha256};
use super::{Shared, USER};
use axum::Json;
use axum::extract::{Path, State};
use axum::http::{HeaderMap, StatusCode};
use axum::response::{IntoResponse, Response};
use base64::Engine;
use serde_json::{Value, json};
use std::sync::Arc;
use xet_client::cas_client::{DeletionControlableClient, DirectAccessClient};

type Answer = Result<Response, Refusal>;
type Change = (String, Option<Blob>);

/// The longest file that may stand inside a commit.
const INLINE: usize = 10 << 20;

/// A writer needs the token and an existing repository.
fn check_right(shared: &Shared, id: &str, headers: &HeaderMap) -> Result<(), Refusal> {
    if is_known(headers)? {
        open(&shared.world(), id, headers).map(|_| ())
    } else {
        Err(Refusal(StatusCode::UNAUTHORIZED, "", "Invalid username or password.".into()))
    }
}

pub async fn validate(Json(_): Json<Value>) -> Response {
    Json(json!({"errors": [], "warnings": []})).into_response()
}

pub async fn create(State(shared): State<Arc<Shared>>, headers: HeaderMap, Json(body): Json<Value>) -> Answer {
    if !is_known(&headers)? {
        return Err(Refusal(StatusCode::UNAUTHORIZED, "", "Invalid username or password.".into()));
    }
    let owner = body["organization"].as_str().unwrap_or(USER);
    let id = format!("{owner}/{}", body["name"].as_str().unwrap());
    let private = body["private"] == json!(true) || body["visibility"] == json!("private");
    match shared.world().create(&id, private) {
        Some(()) => Ok(Json(json!({"url": format!("http://127.0.0.1:{}/{id}", shared.port), "name": id, "id": id}))
            .into_response()),
        None => Err(Refusal(StatusCode::CONFLICT, "", "You already created this model repo".into())),
    }
}

pub async fn settings(
    State(shared): State<Arc<Shared>>,
    Path((owner, name)): Path<(String, String)>,
    headers: HeaderMap,
    Json(body): Json<Value>,
) -> Answer {
    let id = format!("{owner}/{name}");
    check_right(&shared, &id, &headers)?;
    let mut world = shared.world();
    let repository = world.get_mut(&id).unwrap();
    repository.private = body["private"].as_bool().unwrap_or(repository.private);
    Ok(Json(json!({"private": repository.private})).into_response())
}

pub async fn preupload(
    State(shared): State<Arc<Shared>>,
    Path((owner, name, _)): Path<(String, String, String)>,
    headers: HeaderMap,
    Json(body): Json<Value>,
) -> Answer {
    check_right(&shared, &format!("{owner}/{name}"), &headers)?;
    let mode = |file: &Value| {
        let is_large =
            file["path"].as_str().unwrap().ends_with(".safetensors") || file["size"].as_u64().unwrap() > INLINE as u64;
        json!({"path": file["path"], "uploadMode": if is_large { "lfs" } else { "regular" }, "shouldIgnore": false})
    };
    let files: Vec<Value> = body["files"].as_array().unwrap().iter().map(mode).collect();
    Ok(Json(json!({"files": files})).into_response())
}

pub async fn batch(
    State(shared): State<Arc<Shared>>,
    Path((owner, name)): Path<(String, String)>,
    headers: HeaderMap,
    body: String,
) -> Answer {
    let id = format!("{owner}/{}", name.trim_end_matches(".git"));
    check_right(&shared, &id, &headers)?;
    let body: Value = serde_json::from_str(&body).unwrap();
    let place = format!("http://127.0.0.1:{}/api/models/{id}/xet-write-token/main", shared.port);
    let object =
        |object: &Value| json!({"oid": object["oid"], "size": object["size"], "actions": {"upload": {"href": place}}});
    let objects: Vec<Value> = body["objects"].as_array().unwrap().iter().map(object).collect();
    let transfer = if shared.takes_large() { "xet" } else { "basic" };
    Ok(Json(json!({"transfer": transfer, "objects": objects})).into_response())
}

pub async fn storage_token(
    State(shared): State<Arc<Shared>>,
    Path((owner, name, _)): Path<(String, String, String)>,
    headers: HeaderMap,
) -> Answer {
    check_right(&shared, &format!("{owner}/{name}"), &headers)?;
    Ok(token_of(&shared))
}

pub async fn commit(
    State(shared): State<Arc<Shared>>,
    Path((owner, name, revision)): Path<(String, String, String)>,
    headers: HeaderMap,
    body: String,
) -> Answer {
    let id = format!("{owner}/{name}");
    check_right(&shared, &id, &headers)?;
    let lines: Vec<Value> = body.lines().map(|line| serde_json::from_str(line).unwrap()).collect();
    let (mut parent, mut changes) = (None, Vec::new());
    for line in &lines {
        match line["key"].as_str().unwrap() {
            "header" => parent = line["value"]["parentCommit"].as_str(),
            kind => changes.push(change(&shared, kind, &line["value"]).await?),
        }
    }
    let intruder = shared.intruder.lock().unwrap().take();
    let mut world = shared.world();
    let repository = world.get_mut(&id).unwrap();
    if let Some((path, content)) = intruder {
        repository.commit([(path, Some(Blob::Small(content)))]);
    }
    if revision != "main" || parent.is_some_and(|parent| parent != repository.head().sha) {
        return Err(Refusal(
            StatusCode::PRECONDITION_FAILED,
            "",
            "A commit has happened since. Please refresh and try again.".into(),
        ));
    }
    let sha = repository.commit(changes);
    let url = format!("http://127.0.0.1:{}/{id}/commit/{sha}", shared.port);
    Ok(Json(json!({"success": true, "commitOid": sha, "commitUrl": url, "hookOutput": ""})).into_response())
}

async fn change(shared: &Shared, kind: &str, value: &Value) -> Result<Change, Refusal> {
    let path = value["path"].as_str().unwrap().to_string();
    let refuse = |message: &str| Refusal(StatusCode::BAD_REQUEST, "", format!("{path}: {message}"));
    match kind {
        "file" => {
            let bytes = base64::engine::general_purpose::STANDARD.decode(value["content"].as_str().unwrap()).unwrap();
            let is_large = path.ends_with(".safetensors") || bytes.len() > INLINE;
            if is_large && shared.takes_large() {
                Err(refuse("a large file inside the commit"))
            } else {
                Ok((path, Some(Blob::Small(bytes))))
            }
        }
        "lfsFile" => {
            let digest = value["oid"].as_str().unwrap();
            let storage = find(shared, digest).await.ok_or_else(|| refuse("was never uploaded"))?;
            let size = value["size"].as_u64().unwrap() as usize;
            Ok((path, Some(Blob::Large { sha256: digest.into(), size, storage })))
        }
        _ => Ok((path, None)),
    }
}

/// The storage server's own name of a content.
async fn find(shared: &Shared, digest: &str) -> Option<String> {
    for (hash, _) in shared.store.list_file_shard_entries().await.ok()? {
        let bytes = shared.store.get_file_data(&hash, None).await.ok()?;
        if sha256(&bytes) == digest {
            return Some(hash.hex());
        }
    }
    None
}

pub async fn tag(
    State(shared): State<Arc<Shared>>,
    Path((owner, name, revision)): Path<(String, String, String)>,
    headers: HeaderMap,
    Json(body): Json<Value>,
) -> Answer {
    let id = format!("{owner}/{name}");
    check_right(&shared, &id, &headers)?;
    let mut world = shared.world();
    let repository = world.get_mut(&id).unwrap();
    let commit = super::read::at(repository, &revision)?.sha.clone();
    let tag = body["tag"].as_str().unwrap().to_string();
    if repository.tags.contains_key(&tag) {
        return Err(Refusal(StatusCode::CONFLICT, "", "Tag reference exists already".into()));
    }
    repository.tags.insert(tag, commit);
    Ok(Json(json!({})).into_response())
}
