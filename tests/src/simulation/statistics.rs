//! How much happens in a world.

/// Defines the figures, how those of two worlds are added, and by which names they are told.
macro_rules! statistics {
    ($($(#[$what:meta])+ $figure:ident,)+) => {
        /// How much happened.
        #[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
        pub struct Statistics {
            $($(#[$what])+ pub $figure: u64,)+
        }

        impl Statistics {
            /// Adds another world's.
            pub fn add(&mut self, other: &Self) {
                $(self.$figure += other.$figure;)+
            }

            /// The figures with their names.
            pub fn named(&self) -> Vec<(&'static str, u64)> {
                vec![$((stringify!($figure), self.$figure)),+]
            }
        }
    };
}

statistics! {
    /// Answers that people gave.
    answers,
    /// Messages that were sent.
    messages,
    /// Messages that were lost, cut off or came again.
    mishaps,
    /// Phones and installations whose power failed.
    crashes,
    /// The province's server, set back to a backup.
    restored,
    /// Hubs that were set back to a backup.
    restored_hubs,
    /// Times that a phone went to another installation.
    moves,
    /// Times that a phone took in what another has.
    meetings,
    /// Changes that came to a hub from above.
    from_above,
    /// Changes that came from a hub.
    from_below,
    /// Responses that were erased, some of them twice.
    erased,
    /// Messages by which somebody tried to write in another's name.
    forgeries,
    /// Changes that an installation did not take.
    refused,
    /// Devices that were revoked, and hamlets that were withdrawn.
    withdrawals,
    /// Changes in quarantine in the end.
    quarantined,
    /// Changes that officials let in.
    released,
    /// Changes that officials discarded.
    discarded,
    /// Phones whose disks were copied onto others.
    clones,
    /// Phones that were lost.
    lost,
    /// New keys that phones took.
    new_keys,
}
