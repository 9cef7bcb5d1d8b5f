//! Snapshots: one document per stream in `snapshots`, the state as the JSON text that it is.

use super::{
    MongoStore,
    generations::{stored, whole},
};
use ::mongodb::bson::{Binary, Bson, Document, doc, spec::BinarySubtype};
use async_trait::async_trait;
use contract::{Digest, Position, StreamName};
use ports::{Snapshot, Snapshots, StoreError};

#[async_trait]
impl Snapshots for MongoStore {
    async fn load(&self, stream: &StreamName) -> Result<Option<Snapshot>, StoreError> {
        let find = self.snapshots.find_one(doc! { "_id": stream.as_str() });
        let found = self.mongo.call("load_snapshot", find).await?;
        found
            .map(|found| read(&found).ok_or_else(|| StoreError::Damaged(format!("the snapshot of {stream}"))))
            .transpose()
    }

    async fn save(&self, stream: &StreamName, snapshot: Snapshot) -> Result<(), StoreError> {
        let state = String::from_utf8(snapshot.state)
            .map_err(|_| StoreError::Damaged(format!("a state of {stream} that is no text")))?;
        let digest = Binary {
            subtype: BinarySubtype::Generic,
            bytes: snapshot.digest.0.to_vec(),
        };
        let document = doc! {
            "_id": stream.as_str(),
            "revision": stored(Position(snapshot.revision)),
            "digest": digest,
            "position": stored(snapshot.position),
            "form": i64::from(snapshot.form),
            "state": state,
        };
        let which = doc! { "_id": stream.as_str() };
        let replace = self.snapshots.replace_one(which, document).upsert(true);
        self.mongo.call("save_snapshot", replace).await?;
        Ok(())
    }
}

fn read(found: &Document) -> Option<Snapshot> {
    let Some(Bson::Binary(digest)) = found.get("digest") else {
        return None;
    };
    Some(Snapshot {
        revision: whole(found, "revision")?,
        digest: Digest(digest.bytes.as_slice().try_into().ok()?),
        position: Position(whole(found, "position")?),
        form: u32::try_from(whole(found, "form")?).ok()?,
        state: found.get_str("state").ok()?.as_bytes().to_vec(),
    })
}
