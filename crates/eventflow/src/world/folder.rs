//! Taking the data folder, or learning who has it.

use ports::embedded::{DataFolder, FolderError};
use std::{net::SocketAddr, path::Path};

/// Another process has the folder.
#[derive(Debug)]
pub struct Occupied {
    /// What it wrote about itself.
    pub holder: String,
    /// Where it listens, when it does.
    pub address: Option<SocketAddr>,
}

/// Takes the folder for this process, or tells who has it.
///
/// # Errors
/// When the folder cannot be made or written to.
pub fn take_folder(data: &Path) -> Result<Result<DataFolder, Occupied>, FolderError> {
    match DataFolder::open(data) {
        Ok(folder) => Ok(Ok(folder)),
        Err(FolderError::InUse { holder, .. }) => {
            let address = holder.split_whitespace().find_map(|word| word.parse().ok());
            Ok(Err(Occupied { holder, address }))
        }
        Err(error) => Err(error),
    }
}
