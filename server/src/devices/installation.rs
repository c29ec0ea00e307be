//! The installation's own keys: with one it signs the bundles and rosters that it writes, with the other it opens the
//! bundles that are sealed to it.

use std::io::{self, Write as _};
use std::path::{Path, PathBuf};

use sha2::{Digest, Sha256};
use sync_core::bundle::RecipientSecret;
use sync_core::device::DeviceKey;

use crate::hex;
use crate::store::DataFolder;

/// The file of the data folder that holds the secret: 64 hexadecimal digits.
const FILE: &str = "installation.key";
/// What the two keys are derived with from the secret.
const SIGNING: &[u8] = b"khaosat/installation-signing/1";
const SEALING: &[u8] = b"khaosat/installation-sealing/1";
const OFFICIALS: &[u8] = b"khaosat/installation-officials/1";

/// The keys.
#[derive(Debug)]
pub struct InstallationKeys {
    /// Signs bundles and rosters.
    pub signing: DeviceKey,
    /// Opens bundles that are sealed to this installation.
    pub sealing: RecipientSecret,
    /// What the keys of officials are derived from.
    officials: Secret,
}

/// Bytes that are never printed.
struct Secret([u8; 32]);

impl std::fmt::Debug for Secret {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Secret")
    }
}

/// Why there are no keys.
#[derive(Debug, thiserror::Error)]
pub enum InstallationKeyError {
    /// The file cannot be read or written.
    #[error("{path}: {source}")]
    Io {
        /// The file.
        path: PathBuf,
        /// The system's reason.
        source: io::Error,
    },
    /// The file holds something else than a secret.
    #[error("{path} is damaged; bring it back from a backup, or remove it to make new keys and tell them to everybody")]
    Damaged {
        /// The file.
        path: PathBuf,
    },
    /// The system gives no random numbers.
    #[error("the system gives no random numbers: {0}")]
    Random(#[from] getrandom::Error),
}

impl InstallationKeyError {
    /// The error in Vietnamese.
    pub fn vietnamese(&self) -> String {
        match self {
            Self::Io { path, source } => format!("{}: {source}", path.display()),
            Self::Damaged { path } => format!(
                "{} bị hỏng; hãy khôi phục từ bản sao lưu, hoặc xóa đi để tạo khóa mới rồi báo cho mọi nơi",
                path.display()
            ),
            Self::Random(error) => format!("hệ thống không cung cấp số ngẫu nhiên: {error}"),
        }
    }
}

impl InstallationKeys {
    /// The keys of an installation, made at their first use.
    ///
    /// # Errors
    /// [`InstallationKeyError`].
    pub fn of(folder: &DataFolder) -> Result<Self, InstallationKeyError> {
        if let Some(keys) = Self::existing(folder.path())? {
            return Ok(keys);
        }
        let path = folder.path().join(FILE);
        let mut secret = [0; 32];
        getrandom::fill(&mut secret)?;
        write_secret(&path, &hex::encode(&secret)).map_err(|source| InstallationKeyError::Io {
            path: path.clone(),
            source,
        })?;
        Ok(Self::derived(&secret))
    }

    /// The keys in a data folder, if there are any.
    ///
    /// # Errors
    /// [`InstallationKeyError`].
    pub fn existing(data: &Path) -> Result<Option<Self>, InstallationKeyError> {
        let path = data.join(FILE);
        let text = match std::fs::read_to_string(&path) {
            Ok(text) => text,
            Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(None),
            Err(source) => return Err(InstallationKeyError::Io { path, source }),
        };
        let secret = hex::decode(text.trim_ascii()).ok_or(InstallationKeyError::Damaged { path })?;
        Ok(Some(Self::derived(&secret)))
    }

    fn derived(secret: &[u8; 32]) -> Self {
        let derive = |domain: &[u8]| -> [u8; 32] {
            Sha256::new()
                .chain_update(domain)
                .chain_update(secret)
                .finalize()
                .into()
        };
        Self {
            signing: DeviceKey::from_secret(&derive(SIGNING)),
            sealing: RecipientSecret::from_secret(&derive(SEALING)),
            officials: Secret(derive(OFFICIALS)),
        }
    }

    /// The key with which the official of this name signs decisions: the same at every time.
    pub fn official(&self, name: &str) -> DeviceKey {
        let secret = Sha256::new()
            .chain_update(self.officials.0)
            .chain_update(name.as_bytes())
            .finalize();
        DeviceKey::from_secret(&secret.into())
    }
}

/// Writes a file that only its owner may read. It appears whole or not at all.
pub(crate) fn write_secret(path: &Path, text: &str) -> io::Result<()> {
    let unfinished = path.with_extension("key.new");
    let mut options = std::fs::OpenOptions::new();
    options.write(true).create(true).truncate(true);
    #[cfg(unix)]
    std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
    let mut file = options.open(&unfinished)?;
    writeln!(file, "{text}")?;
    file.sync_all()?;
    std::fs::rename(unfinished, path)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn keys_last_and_a_damaged_file_is_told() {
        let folder = tempfile::tempdir().unwrap();
        assert!(InstallationKeys::existing(folder.path()).unwrap().is_none());
        write_secret(&folder.path().join(FILE), &"07".repeat(32)).unwrap();
        let keys = || InstallationKeys::existing(folder.path());
        let first = keys().unwrap().unwrap();
        let second = keys().unwrap().unwrap();
        assert_eq!(first.signing.public(), second.signing.public());
        assert_eq!(first.sealing.public(), second.sealing.public());
        let official = |keys: &InstallationKeys, name| keys.official(name).public();
        assert_eq!(official(&first, "Sáu"), official(&second, "Sáu"));
        assert_ne!(official(&first, "Sáu"), official(&first, "Bảy"));
        #[cfg(unix)]
        {
            use std::os::unix::fs::PermissionsExt as _;
            let mode = std::fs::metadata(folder.path().join(FILE))
                .unwrap()
                .permissions()
                .mode();
            assert_eq!(mode & 0o777, 0o600);
        }
        std::fs::write(folder.path().join(FILE), "07").unwrap();
        assert!(matches!(keys(), Err(InstallationKeyError::Damaged { .. })));
    }
}
