//! The keys that a phone has had.

use sync_core::ActorId;
use sync_core::device::{DeviceKey, DevicePublicKey, Succession};

/// Bytes of a key.
pub(super) type Secret = [u8; 32];

/// A phone's keys, as they follow from what is on its disk.
#[derive(Debug, Clone)]
pub(super) struct Keys {
    /// The one in use.
    now: Secret,
    /// Those before, and whether the phone may bring what they wrote.
    before: Vec<(Secret, bool)>,
    /// One that was drawn and is not in use yet.
    drawn: Option<Secret>,
    /// The public keys of all that were in use, that of the one in use last.
    public: Vec<DevicePublicKey>,
}

impl Keys {
    pub(super) fn new(first: Secret) -> Self {
        Self {
            now: first,
            before: Vec::new(),
            drawn: None,
            public: vec![DeviceKey::from_secret(&first).public()],
        }
    }

    /// A key that the phone with this number has not had.
    pub(super) fn draw(&self, phone: usize) -> Secret {
        let mut secret = [0xee; 32];
        (secret[0], secret[1]) = (phone as u8, self.before.len() as u8);
        secret
    }

    pub(super) fn drew(&mut self, secret: Secret) {
        self.drawn = Some(secret);
    }

    /// The drawn key is in use now. `rotated` says that the server knows that it took the place of the one before; otherwise
    /// the phone enrolled with it.
    pub(super) fn took(&mut self, rotated: bool) {
        let Some(drawn) = self.drawn.take() else { return };
        self.public.push(DeviceKey::from_secret(&drawn).public());
        self.before.push((std::mem::replace(&mut self.now, drawn), true));
        if !rotated {
            self.before.iter_mut().for_each(|(_, may_bring)| *may_bring = false);
        }
    }

    pub(super) fn now(&self) -> DeviceKey {
        DeviceKey::from_secret(&self.now)
    }

    pub(super) fn drawn(&self) -> Option<DeviceKey> {
        self.drawn.as_ref().map(DeviceKey::from_secret)
    }

    /// The statement to ask the server with.
    pub(super) fn succession(&self) -> Option<Succession> {
        Some(Succession::sign(&self.now(), &self.drawn()?))
    }

    /// The keys before, whose changes the phone may bring.
    pub(super) fn predecessors(&self) -> impl Iterator<Item = DeviceKey> {
        let before = self.before.iter().filter(|(_, may_bring)| *may_bring);
        before.map(|(secret, _)| DeviceKey::from_secret(secret))
    }

    /// Whether the phone has, or had, this key.
    pub(super) fn had(&self, key: &DevicePublicKey) -> bool {
        self.public.contains(key)
    }

    /// The public key of the one in use.
    pub(super) fn public(&self) -> DevicePublicKey {
        self.public[self.public.len() - 1]
    }

    /// All actors that the phone has written as.
    pub(super) fn actors(&self) -> Vec<ActorId> {
        self.all().map(|key| key.actor()).collect()
    }

    fn all(&self) -> impl Iterator<Item = DeviceKey> {
        let before = self.before.iter().map(|(secret, _)| secret);
        before.chain([&self.now]).map(DeviceKey::from_secret)
    }
}
