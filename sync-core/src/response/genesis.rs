//! The change from which every replica of a response starts.
//!
//! Two phones that never met may both open the same sampled household. If each made the maps by itself, merging would
//! keep both and show one, and one person's answers would be out of sight. So the first change is a pure function of
//! the response's name: the same actor, time and operations everywhere, hence the same bytes and the same hash. It never
//! travels.

use automerge::transaction::{CommitOptions, Transactable};
use automerge::{ActorId, Automerge, AutomergeError, ChangeHash, ObjId, ObjType, ROOT};

use crate::identity::ResponseId;

/// Key of the map of answers outside every repeat.
pub const ANSWERS: &str = "answers";
/// Key of the map of repeat instances.
pub const MEMBERS: &str = "members";
/// Key of the map of visits.
pub const VISITS: &str = "visits";

/// The maps in the order in which the genesis makes them: the first has operation counter 1.
pub(crate) const MAPS: [&str; 3] = [ANSWERS, MEMBERS, VISITS];

/// The actor of a response's genesis: the response's own name.
pub fn actor(id: ResponseId) -> ActorId {
    ActorId::from(id.0.as_bytes())
}

/// A document that holds the genesis and nothing else.
///
/// # Errors
/// Never for a new document, in practice; Automerge's own error is passed on rather than hidden.
pub fn document(id: ResponseId) -> Result<Automerge, AutomergeError> {
    let mut document = Automerge::new().with_actor(actor(id));
    let mut transaction = document.transaction();
    for map in MAPS {
        transaction.put_object(ROOT, map, ObjType::Map)?;
    }
    transaction.commit_with(CommitOptions::default().with_time(0));
    Ok(document)
}

/// The hash of a response's genesis change.
///
/// # Errors
/// As [`document`].
pub fn hash(id: ResponseId) -> Result<ChangeHash, AutomergeError> {
    // A document with one change has one head.
    Ok(document(id)?
        .get_heads()
        .first()
        .copied()
        .unwrap_or(ChangeHash([0; 32])))
}

/// The objects that the genesis made: answers, members, visits.
pub(crate) fn objects(id: ResponseId) -> [ObjId; 3] {
    // The last part of an Automerge object's name is only a hint where to look the actor up.
    let object = |counter: u64| ObjId::Id(counter, actor(id), 0);
    [object(1), object(2), object(3)]
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::identity::RoundId;
    use uuid::Uuid;

    #[test]
    fn every_replica_makes_the_same_genesis() {
        let id = ResponseId::of(RoundId(Uuid::nil()), "28249-01-0001");
        let changes = document(id).unwrap().get_changes(&[]);
        let again = document(id).unwrap().get_changes(&[]);
        assert_eq!(changes.len(), 1);
        assert_eq!(changes[0].raw_bytes(), again[0].raw_bytes());
        assert_eq!(changes[0].hash(), hash(id).unwrap());
    }

    #[test]
    fn different_responses_have_different_genesis_changes() {
        let round = RoundId(Uuid::nil());
        assert_ne!(
            hash(ResponseId::of(round, "a")).unwrap(),
            hash(ResponseId::of(round, "b")).unwrap()
        );
    }

    /// Phones in the field hold documents that start from this hash. If a new release of Automerge changed the bytes,
    /// old and new phones would no longer share a genesis: that must be noticed here and not in a hamlet. The hash was
    /// computed with the JavaScript package `@automerge/automerge`, the name with Python's `uuid`.
    #[test]
    fn the_genesis_does_not_change_between_releases() {
        let id = ResponseId::of(RoundId(Uuid::nil()), "28249-01-0001");
        assert_eq!(id.to_string(), "ec569536-ff17-5657-ace0-db5ab50d78e1");
        assert_eq!(
            hash(id).unwrap().to_string(),
            "4346d0341241df70052681c06a437700d9facbeed584c54c152594214025577e"
        );
    }
}
