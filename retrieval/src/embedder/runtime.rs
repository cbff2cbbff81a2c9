//! Finding ONNX Runtime and a model's files before the engines do: `ort` panics where its library is
//! missing, and an engine's own message rarely says which file it meant.

use std::path::Path;

use crate::error::Error;

/// Loads the shared library of ONNX Runtime into the process, once; later calls find it loaded.
///
/// # Errors
/// [`Error::ModelFileMissing`], or [`Error::ModelCorrupt`] for a library that can't be loaded or is
/// older than 1.24.
pub(crate) fn load_onnx_runtime(library: &Path) -> Result<(), Error> {
    const WHAT: &str = "ONNX Runtime library";
    require_file(WHAT, library)?;
    // A relative path would be looked for beside the executable.
    let library = std::path::absolute(library).unwrap_or_else(|_| library.to_owned());
    match ort::init_from(&library) {
        // The default environment is enough; sessions make it when they need it.
        Ok(environment) => {
            drop(environment);
            Ok(())
        }
        Err(error) => Err(Error::ModelCorrupt {
            what: WHAT,
            path: library,
            cause: Box::new(error),
        }),
    }
}

/// Says which file is missing, if it is.
pub(crate) fn require_file(what: &'static str, path: &Path) -> Result<(), Error> {
    if path.is_file() {
        return Ok(());
    }
    Err(Error::ModelFileMissing {
        what,
        path: path.to_owned(),
    })
}

/// Reads a whole file of a model.
pub(crate) fn read_file(what: &'static str, path: &Path) -> Result<Vec<u8>, Error> {
    require_file(what, path)?;
    std::fs::read(path).map_err(|error| Error::ModelCorrupt {
        what,
        path: path.to_owned(),
        cause: Box::new(error),
    })
}
