//! The few parts of libtorch that tch does not wrap, over `shim.cpp`. The only file with `unsafe` in it.

#![expect(
    unsafe_code,
    reason = "a C interface can be called in no other way; each call says why it is sound"
)]

use std::ffi::{CStr, c_char, c_void};
use std::fs::File;
use std::io;
use std::os::fd::AsRawFd;
use std::ptr::NonNull;
use std::sync::OnceLock;

use tch::{Device, Kind, Tensor};
use torch_sys::C_tensor;

unsafe extern "C" {
    fn imgen_last_error() -> *const c_char;
    fn imgen_inference_mode_enter() -> *mut c_void;
    fn imgen_inference_mode_leave(guard: *mut c_void);
    fn imgen_generator_new(seed: u64) -> *mut c_void;
    fn imgen_generator_delete(generator: *mut c_void);
    fn imgen_generator_randn(generator: *mut c_void, shape: *const i64, dimensions: usize) -> *mut C_tensor;
    fn imgen_pack_linear(weight: *const C_tensor, rows: i64) -> *mut C_tensor;
    fn imgen_packed_linear(
        input: *const C_tensor,
        weight: *const C_tensor,
        bias: *const C_tensor,
    ) -> *mut C_tensor;
    fn imgen_group_norm(
        input: *const C_tensor,
        groups: i64,
        weight: *const C_tensor,
        bias: *const C_tensor,
        eps: f64,
    ) -> *mut C_tensor;
}

/// What libtorch said when a call of this file failed.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("libtorch: {0}")]
pub struct ShimError(String);

fn last_error() -> ShimError {
    // SAFETY: the pointer is to a string of this thread that lives until the thread's next failed call.
    ShimError(unsafe { CStr::from_ptr(imgen_last_error()) }.to_string_lossy().into_owned())
}

/// Opens `libtorch.so` with all its symbols, so that its CUDA half registers itself where there is one.
///
/// The executable is linked with the CPU half only. With a full libtorch on `LD_LIBRARY_PATH` this brings CUDA in;
/// in the lean folder `libtorch.so` is the CPU half and nothing happens. It must come before the process's first
/// torch call: once libtorch has asked for CUDA and found none, it does not ask again. Later calls do nothing.
///
/// # Errors
/// The loader's words, where a library that CUDA needs is missing; the CPU works all the same.
pub fn bring_in_cuda() -> Result<(), ShimError> {
    static OPENED: OnceLock<Result<(), ShimError>> = OnceLock::new();
    OPENED
        .get_or_init(|| {
            // SAFETY: the name is a C string. The library's initialisers are libtorch's own, and the handle is
            // never closed.
            let handle = unsafe { libc::dlopen(c"libtorch.so".as_ptr(), libc::RTLD_NOW | libc::RTLD_GLOBAL) };
            if !handle.is_null() {
                return Ok(());
            }
            // SAFETY: dlerror gives a string of this thread, or null when nothing failed since it was last asked.
            let said = unsafe { libc::dlerror() };
            if said.is_null() {
                return Err(ShimError("libtorch.so cannot be opened".to_owned()));
            }
            // SAFETY: not null, so a C string that lives until this thread's next call of the loader.
            Err(ShimError(unsafe { CStr::from_ptr(said) }.to_string_lossy().into_owned()))
        })
        .clone()
}

/// While it lives, tensors made on this thread keep neither gradients nor version counters
/// (`c10::InferenceMode`). It ends where it is dropped, also when a panic unwinds; it cannot leave its thread.
#[derive(Debug)]
pub struct InferenceMode(NonNull<c_void>);

impl InferenceMode {
    /// # Errors
    /// When libtorch cannot make the guard (no memory).
    pub fn enter() -> Result<Self, ShimError> {
        // SAFETY: no argument; the answer is null or a guard that `drop` alone deletes, on this same thread.
        NonNull::new(unsafe { imgen_inference_mode_enter() }).map(Self).ok_or_else(last_error)
    }
}

impl Drop for InferenceMode {
    fn drop(&mut self) {
        // SAFETY: the pointer came from `imgen_inference_mode_enter` and is deleted once.
        unsafe { imgen_inference_mode_leave(self.0.as_ptr()) }
    }
}

/// Fills a tensor that lies in one piece on the CPU with the file's bytes from `offset` on.
///
/// # Errors
/// The operating system's; a file that ends before the tensor is full.
pub(super) fn read_into(file: &File, offset: u64, tensor: &mut Tensor) -> io::Result<()> {
    let bytes = tensor.numel() * tensor.kind().elt_size_in_bytes();
    if tensor.device() != Device::Cpu || !tensor.is_contiguous() {
        return Err(io::Error::other("the tensor is not in one piece on the CPU"));
    }
    let mut done = 0;
    while done < bytes {
        let place = libc::off_t::try_from(offset + done as u64).map_err(io::Error::other)?;
        // SAFETY: the tensor owns `bytes` bytes from its data pointer on, as checked above, and is borrowed for
        // writing; the kernel writes at most `bytes - done` of them from `done` on, and any bytes are numbers.
        let read =
            unsafe { libc::pread(file.as_raw_fd(), tensor.data_ptr().add(done).cast(), bytes - done, place) };
        match usize::try_from(read) {
            Ok(0) => return Err(io::Error::new(io::ErrorKind::UnexpectedEof, "the file ends before it")),
            Ok(read) => done += read,
            Err(_) => {
                let error = io::Error::last_os_error();
                if error.kind() != io::ErrorKind::Interrupted {
                    return Err(error);
                }
            }
        }
    }
    Ok(())
}

/// `torch.Generator("cpu")`: each draw goes on where the one before it ended.
#[derive(Debug)]
pub(super) struct Generator(NonNull<c_void>);

impl Generator {
    /// As `manual_seed(seed)` leaves it.
    pub(super) fn new(seed: u64) -> Result<Self, ShimError> {
        // SAFETY: no pointer goes in; the answer is null or a generator that `drop` alone deletes.
        NonNull::new(unsafe { imgen_generator_new(seed) }).map(Self).ok_or_else(last_error)
    }

    /// The next standard normal numbers; see [`super::noise`].
    pub(super) fn randn(&mut self, shape: &[i64]) -> Result<Tensor, ShimError> {
        // SAFETY: the generator lives and is borrowed alone, `shape` is valid for its length during the call; the
        // answer is null or a new tensor that is ours.
        owned(unsafe { imgen_generator_randn(self.0.as_ptr(), shape.as_ptr(), shape.len()) })
    }
}

impl Drop for Generator {
    fn drop(&mut self) {
        // SAFETY: the pointer came from `imgen_generator_new` and is deleted once.
        unsafe { imgen_generator_delete(self.0.as_ptr()) }
    }
}

/// A linear layer's weight, bf16 on the CPU, in the order in which oneDNN multiplies it.
#[derive(Debug)]
pub(super) struct PackedWeight(Tensor);

impl PackedWeight {
    /// Of `[out_features, in_features]`, for inputs of about `rows` rows; others can be multiplied as well.
    ///
    /// # Errors
    /// Where oneDNN has no such layer on this CPU.
    pub(super) fn new(weight: &Tensor, rows: i64) -> Result<Self, ShimError> {
        // SAFETY: the tensor lives during the call; the answer is null or a new tensor that is ours.
        owned(unsafe { imgen_pack_linear(weight.as_ptr(), rows) }).map(Self)
    }

    /// `[..., in_features]` to `[..., out_features]`
    ///
    /// # Errors
    /// libtorch's, for an input that does not fit.
    pub(super) fn multiply(&self, input: &Tensor, bias: Option<&Tensor>) -> Result<Tensor, ShimError> {
        let bias = bias.map_or(std::ptr::null(), |bias| bias.as_ptr());
        // SAFETY: the tensors live during the call, or are null where that is allowed.
        owned(unsafe { imgen_packed_linear(input.as_ptr(), self.0.as_ptr(), bias) })
    }
}

/// `torch.nn.functional.group_norm` of a picture whose channels lie side by side, `[batch, channels, height, width]`; `None` where it
/// does not lie so, or is not in f32 on the CPU. libtorch's own takes the variance as the mean of squares less the
/// square of the mean there, which leaves nothing of it where the mean is large.
pub(super) fn group_norm(
    input: &Tensor,
    groups: i64,
    weight: &Tensor,
    bias: &Tensor,
    eps: f64,
) -> Option<Result<Tensor, ShimError>> {
    let plain = |tensor: &Tensor| tensor.device() == Device::Cpu && tensor.kind() == Kind::Float;
    let [_, channels, _, _] = input.size()[..] else { return None };
    let fits = |tensor: &Tensor| plain(tensor) && tensor.is_contiguous() && tensor.size() == [channels];
    let side_by_side = plain(input) && input.numel() > 0 && input.permute([0, 2, 3, 1]).is_contiguous();
    if !side_by_side || !fits(weight) || !fits(bias) || groups < 1 || channels % groups != 0 {
        return None;
    }
    // SAFETY: the tensors live during the call. Their numbers are f32 in one piece, as many as their sizes say, as checked above;
    // the answer is null or a new tensor that is ours.
    Some(owned(unsafe { imgen_group_norm(input.as_ptr(), groups, weight.as_ptr(), bias.as_ptr(), eps) }))
}

fn owned(tensor: *mut C_tensor) -> Result<Tensor, ShimError> {
    if tensor.is_null() {
        return Err(last_error());
    }
    // SAFETY: a pointer to an `at::Tensor` made with `new`, which is what tch owns and deletes.
    Ok(unsafe { Tensor::from_ptr(tensor) })
}
