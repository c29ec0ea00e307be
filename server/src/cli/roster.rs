//! `khaosat device export` and `khaosat device import`.

use std::path::PathBuf;

use clap::Args;
use sync_core::device::DevicePublicKey;

use super::bundle::{read_limited, write_new};
use super::{Failure, digits};
use crate::config::Config;
use crate::devices::{Imported, InstallationKeys, ROSTER_BYTES, export_roster, import_roster, read_roster};
use crate::store::{DataFolder, Store};

/// Where to write the roster.
#[derive(Debug, Args)]
pub(super) struct ExportArguments {
    /// The file to write
    #[arg(long, value_name = "FILE")]
    output: PathBuf,
}

/// Which roster to believe.
#[derive(Debug, Args)]
pub(super) struct ImportArguments {
    /// The roster, which `khaosat device export` of another installation wrote
    #[arg(value_name = "FILE")]
    file: PathBuf,
    /// The other installation's signing key, line 2 of its `khaosat bundle key`; ask for it by another way than the file
    /// came, since whoever has this key can say who may write here
    #[arg(long, value_name = "KEY")]
    from: String,
}

pub(super) async fn export(arguments: &ExportArguments, config: &Config) -> Result<(), Failure> {
    let folder = DataFolder::open(&config.data)?;
    let keys = InstallationKeys::of(&folder)?;
    let store = Store::open(&folder.database()).await?;
    let roster = export_roster(&store, &keys.signing).await?;
    store.close().await;
    write_new(&arguments.output, roster.as_bytes())?;
    eprintln!(
        "Đã ký bằng khóa (signed by key) {}; báo khóa này cho nơi nhận bằng đường khác. (Tell it by another way.)",
        keys.signing.public()
    );
    Ok(())
}

pub(super) async fn import(arguments: &ImportArguments, config: &Config) -> Result<(), Failure> {
    let from = DevicePublicKey(digits("--from", &arguments.from)?);
    let file = read_limited(&arguments.file, ROSTER_BYTES)?;
    let roster = read_roster(&file, &from).map_err(|error| Failure::from(error).of_file(&arguments.file))?;
    let folder = DataFolder::open(&config.data)?;
    let store = Store::open(&folder.database()).await?;
    let Imported {
        devices,
        new_devices,
        revoked,
        new_hamlets,
        withdrawn_hamlets,
        unknown_hamlets,
    } = import_roster(&store, roster.devices, None).await?;
    store.close().await;
    println!(
        "{devices} thiết bị, {new_devices} mới, {revoked} bị thu hồi quyền; {new_hamlets} ấp, khu phố được thêm quyền, \
         {withdrawn_hamlets} bị rút; {unknown_hamlets} không có ở đây. ({devices} devices, {new_devices} new, \
         {revoked} revoked; {new_hamlets} hamlets granted, {withdrawn_hamlets} withdrawn; {unknown_hamlets} unknown here)"
    );
    Ok(())
}
