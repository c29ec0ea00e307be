//! The data folder: the database and what stands beside it.

use std::fs::{File, TryLockError};
use std::io;
use std::path::{Path, PathBuf};

/// A folder that holds one installation's data.
#[derive(Debug)]
pub struct DataFolder {
    path: PathBuf,
    lock: Option<File>,
}

/// Why a data folder cannot be used.
#[derive(Debug, thiserror::Error)]
pub enum FolderError {
    /// The folder has data already.
    #[error(
        "{path} already holds an installation; use `khaosat serve --data {path}` to run it, or give another folder"
    )]
    Used {
        /// The folder.
        path: PathBuf,
    },
    /// The folder has other files in it.
    #[error("{path} is not empty and holds no installation; give a new or an empty folder")]
    Foreign {
        /// The folder.
        path: PathBuf,
    },
    /// There is no installation in the folder.
    #[error("{path} holds no installation; run `khaosat init --data {path}` first")]
    Missing {
        /// The folder.
        path: PathBuf,
    },
    /// A server runs on the folder.
    #[error("a server is running on {path}; stop it first")]
    Locked {
        /// The folder.
        path: PathBuf,
    },
    /// The file system refused.
    #[error("{path}: {source}")]
    Io {
        /// The file or folder.
        path: PathBuf,
        /// The system's reason.
        source: io::Error,
    },
}

impl FolderError {
    /// The error in Vietnamese.
    pub fn vietnamese(&self) -> String {
        match self {
            Self::Used { path } => format!(
                "{0} đã có dữ liệu; chạy `khaosat serve --data {0}` để dùng tiếp, hoặc chọn thư mục khác",
                path.display()
            ),
            Self::Foreign { path } => {
                format!(
                    "{} không trống và không phải thư mục dữ liệu; hãy chọn thư mục mới hoặc trống",
                    path.display()
                )
            }
            Self::Missing { path } => {
                format!(
                    "{0} chưa có dữ liệu; hãy chạy `khaosat init --data {0}` trước",
                    path.display()
                )
            }
            Self::Locked { path } => format!("máy chủ đang chạy trên {}; hãy dừng máy chủ trước", path.display()),
            Self::Io { path, source } => format!("{}: {source}", path.display()),
        }
    }
}

const DATABASE: &str = "khaosat.sqlite";
const LOCK: &str = "server.lock";

impl DataFolder {
    /// Makes a folder for a new installation.
    ///
    /// # Errors
    /// [`FolderError::Used`] or [`FolderError::Foreign`] when there is something in it already.
    pub fn create(path: &Path) -> Result<Self, FolderError> {
        let io = |source| FolderError::Io {
            path: path.to_owned(),
            source,
        };
        std::fs::create_dir_all(path).map_err(io)?;
        if path.join(DATABASE).exists() {
            return Err(FolderError::Used { path: path.to_owned() });
        }
        if std::fs::read_dir(path).map_err(io)?.next().is_some() {
            return Err(FolderError::Foreign { path: path.to_owned() });
        }
        Ok(Self {
            path: path.to_owned(),
            lock: None,
        })
    }

    /// The folder of an existing installation.
    ///
    /// # Errors
    /// [`FolderError::Missing`] when there is none.
    pub fn open(path: &Path) -> Result<Self, FolderError> {
        if !path.join(DATABASE).is_file() {
            return Err(FolderError::Missing { path: path.to_owned() });
        }
        Ok(Self {
            path: path.to_owned(),
            lock: None,
        })
    }

    /// Keeps other processes from serving or importing into the folder until this value is dropped.
    ///
    /// # Errors
    /// [`FolderError::Locked`] when another process holds it.
    pub fn lock(mut self) -> Result<Self, FolderError> {
        let path = self.path.join(LOCK);
        let file = File::create(&path).map_err(|source| FolderError::Io {
            path: path.clone(),
            source,
        })?;
        match file.try_lock() {
            Ok(()) => {
                self.lock = Some(file);
                Ok(self)
            }
            Err(TryLockError::WouldBlock) => Err(FolderError::Locked { path: self.path }),
            Err(TryLockError::Error(source)) => Err(FolderError::Io { path, source }),
        }
    }

    /// The folder's path.
    pub fn path(&self) -> &Path {
        &self.path
    }

    /// The database file.
    pub fn database(&self) -> PathBuf {
        self.path.join(DATABASE)
    }
}
