//! The columns of the packed form, in the order in which they follow one another.

/// One column. All are numbers in unsigned LEB128 but those whose names say otherwise.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Section {
    /// Bytes: the rounds' names, 16 each.
    Rounds,
    /// For each group its round's place.
    GroupRounds,
    /// How many bytes a unit's code has in common with the one before.
    SharedUnits,
    /// How many bytes follow those.
    UnitLengths,
    /// How many changes a group has.
    ChangeCounts,
    /// Bytes: what units' codes do not have in common.
    Units,
    /// The lengths of the actors.
    ActorLengths,
    /// Bytes: the actors.
    Actors,
    /// For each change 0 where it travels as it is, 1 where in columns.
    Forms,
    /// The lengths of changes that travel as they are.
    RawLengths,
    /// For each change in columns its author's place among the actors.
    Authors,
    /// Its sequence number.
    Sequences,
    /// Its first operation's counter.
    Starts,
    /// How much later it is than the one before; signed.
    Times,
    /// On how many changes it depends.
    DependencyCounts,
    /// These: 0 for the genesis, 1 for a hash, more for one less changes back.
    Dependencies,
    /// Bytes: hashes, 32 each.
    Hashes,
    /// How many other actors it names.
    OtherCounts,
    /// These: 0 for the genesis's, more for one less among the actors.
    Others,
    /// How many operations it has.
    OperationCounts,
    /// For each operation the place of its shape among those that followed the one before, from 1; 0 for a new one.
    Steps,
    /// The shapes that newly follow another, by number; the next unused number is a new shape.
    Jumps,
    /// For each shape the map.
    ShapeMaps,
    /// The action.
    ShapeActions,
    /// How many operations are replaced.
    ShapePredecessors,
    /// The length of the key.
    ShapeKeyLengths,
    /// Bytes: keys.
    ShapeKeys,
    /// For each operation on a map of the same change, how many maps further it is; signed.
    MapSteps,
    /// For each operation on another map the actor that made it.
    MapActors,
    /// The counter of the operation that made it.
    MapCounters,
    /// For each replaced operation its actor.
    PredecessorActors,
    /// Its counter.
    PredecessorCounters,
    /// Bytes: changes that travel as they are.
    Raw,
    /// For each shape, its operations' values.
    Values,
}

/// How many columns there are but the values.
pub(super) const SECTIONS: usize = Section::Values as usize;
