//! # Networks in ONNX files
//!
//! One file, pinned by its SHA-256, run by tract on the CPU.

use std::io::Cursor;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use sha2::{Digest, Sha256};
use thiserror::Error;
use tract_onnx::prelude::{
    DatumExt, Framework, InferenceModelExt, IntoRunnable, Tensor, TractError, TypedRunnableModel, tvec,
};

/// Why a network cannot be used.
#[derive(Debug, Error)]
pub enum OnnxError {
    #[error("`{path}`: {detail}")]
    File { path: PathBuf, detail: String },
    #[error("`{path}` has the SHA-256 {found}, not {wanted}")]
    Other { path: PathBuf, found: String, wanted: String },
    #[error("`{path}` is no network of the shape that is wanted: {detail}")]
    Network { path: PathBuf, detail: String },
}

/// What a network that could be opened says of a run that failed.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
#[error("{0}")]
pub struct RunError(String);

impl RunError {
    /// For what was to be done before the network could run.
    pub fn new(why: String) -> Self {
        Self(why)
    }
}

/// Numbers in, numbers out; the same for the same numbers.
pub struct Network {
    name: String,
    shapes: Vec<Vec<usize>>,
    outputs: usize,
    model: Arc<TypedRunnableModel>,
}

impl std::fmt::Debug for Network {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Network").field("name", &self.name).finish_non_exhaustive()
    }
}

impl Network {
    /// Reads the file once, so that what is checked is what is run, and runs it once on zeros. `shapes` are those of the
    /// inputs, `outputs` the count of numbers in the first output.
    ///
    /// # Errors
    /// A file that is not there, is another one, or is no such network.
    pub fn open(path: &Path, sha256: &str, shapes: &[&[usize]], outputs: usize) -> Result<Self, OnnxError> {
        let bytes = std::fs::read(path)
            .map_err(|error| OnnxError::File { path: path.to_owned(), detail: error.to_string() })?;
        let found = hex::encode(Sha256::digest(&bytes));
        if !found.eq_ignore_ascii_case(sha256) {
            let wanted = sha256.to_owned();
            return Err(OnnxError::Other { path: path.to_owned(), found, wanted });
        }
        let wrong = |detail| OnnxError::Network { path: path.to_owned(), detail };
        let network = Self {
            name: path.file_name().unwrap_or_default().to_string_lossy().into_owned(),
            shapes: shapes.iter().map(|shape| shape.to_vec()).collect(),
            outputs,
            model: load(&bytes, shapes).map_err(wrong)?,
        };
        let zeros: Vec<Vec<f32>> = shapes.iter().map(|shape| vec![0.0; shape.iter().product()]).collect();
        let zeros: Vec<&[f32]> = zeros.iter().map(Vec::as_slice).collect();
        network.run(&zeros).map_err(|error| wrong(error.to_string()))?;
        Ok(network)
    }

    /// The first output, flat. Each input has as many numbers as its shape.
    ///
    /// # Errors
    /// What the library says, another count of numbers, and numbers that are not finite.
    pub fn run(&self, inputs: &[&[f32]]) -> Result<Vec<f32>, RunError> {
        let failed = |detail: String| RunError(format!("{}: {detail}", self.name));
        let mut given = tvec!();
        for (shape, input) in self.shapes.iter().zip(inputs) {
            let tensor = Tensor::from_shape(shape, input).map_err(|error| failed(format!("{error:#}")))?;
            given.push(tensor.into());
        }
        let answer = self.model.run(given).map_err(|error| failed(format!("{error:#}")))?;
        let first = answer.first().ok_or_else(|| failed("it gives nothing".to_owned()))?;
        let view = first.to_plain_array_view::<f32>().map_err(|error| failed(format!("{error:#}")))?;
        let numbers: Vec<f32> = view.iter().copied().collect();
        if numbers.len() != self.outputs {
            return Err(failed(format!("it gives {} numbers, not {}", numbers.len(), self.outputs)));
        }
        if numbers.iter().any(|number| !number.is_finite()) {
            return Err(failed("it gives numbers that are none".to_owned()));
        }
        Ok(numbers)
    }
}

/// Optimised where tract can, and as it stands where it cannot.
fn load(bytes: &[u8], shapes: &[&[usize]]) -> Result<Arc<TypedRunnableModel>, String> {
    let said = |error: TractError| format!("{error:#}");
    let mut model = tract_onnx::onnx()
        .with_ignore_output_shapes(true)
        .with_ignore_value_info(true)
        .model_for_read(&mut Cursor::new(bytes))
        .map_err(said)?;
    if model.inputs.len() != shapes.len() {
        return Err(format!("it takes {} inputs, not {}", model.inputs.len(), shapes.len()));
    }
    for (index, shape) in shapes.iter().enumerate() {
        model = model.with_input_fact(index, f32::fact(*shape).into()).map_err(said)?;
    }
    let runnable = match model.clone().into_optimized() {
        Ok(optimised) => optimised.into_runnable(),
        Err(_) => model.into_typed().and_then(IntoRunnable::into_runnable),
    };
    runnable.map_err(said)
}
