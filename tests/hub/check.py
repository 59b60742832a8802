"""Drives Python's own client against the Hub that HF_ENDPOINT names: python.rs calls this.

    python check.py read|write|cache|offline OWNER/NAME TAG FOLDER
    python check.py card - - README.md

Needs huggingface_hub 2.4.0 and hf_xet 1.8.0 (.ci/run installs them).
"""

import sys

from huggingface_hub import HfApi, ModelCard, snapshot_download

what, repository, tag, folder = sys.argv[1:]
api = HfApi()
if what == "read":
    snapshot_download(repository, revision=tag, local_dir=folder)
    checked = api.verify_repo_checksums(repository, revision=tag, local_dir=folder)
    print(f"{len(checked.mismatches)} mismatches of {checked.checked_count} files")
elif what == "card":
    card = ModelCard.load(folder).data
    first = card.eval_results[0]
    print(card.license, card.library_name, first.dataset_name, first.metric_name, first.metric_value)
elif what == "offline":
    print(snapshot_download(repository, revision=tag, cache_dir=folder, local_files_only=True))
elif what == "cache":
    snapshot_download(repository, revision=tag)
else:
    api.create_repo(repository, private=True)
    commit = api.upload_folder(repo_id=repository, folder_path=folder, commit_message="from Python")
    api.create_tag(repository, tag=tag, revision=commit.oid)
    print("uploaded", commit.oid)
