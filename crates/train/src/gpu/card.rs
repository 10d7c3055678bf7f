//! A card that is open: its stream, its kernels, and memory on it.

use std::sync::{Arc, Mutex};

use cudarc::cublas::{CudaBlas, sys as blas};
use cudarc::driver::sys::{self as driver, CUmemPool_attribute_enum::CU_MEMPOOL_ATTR_RELEASE_THRESHOLD};
use cudarc::driver::{CudaContext, CudaFunction, CudaSlice, CudaStream, DevicePtr, DevicePtrMut, DeviceRepr};
use cudarc::driver::{LaunchConfig, ValidAsZeroBits};
use cudarc::nvrtc::{self, CompileOptions, Ptx};

use crate::TrainError;
use crate::tape::Factor;

const SOURCE: &str = include_str!("kernels.cu");
/// Threads of a block.
pub(super) const BLOCK: u32 = 256;
/// Threads that work on a row together.
pub(super) const WARP: usize = 32;
/// Memory that stays with the process when nothing uses it.
const KEPT_BYTES: u64 = u64::MAX;

/// What a card said when it failed. Kernels unwind with it; [`caught`] is where it becomes an error.
struct Failed(String);

/// The result of a call, or the way out of the step at hand.
pub(super) fn must<T, E: std::fmt::Debug>(result: Result<T, E>) -> T {
    result.unwrap_or_else(|error| std::panic::resume_unwind(Box::new(Failed(format!("{error:?}")))))
}

/// Runs `work`, and gives what a card said when it failed.
pub(super) fn caught<T>(work: impl FnOnce() -> T) -> Result<T, TrainError> {
    std::panic::catch_unwind(std::panic::AssertUnwindSafe(work)).map_err(|cause| match cause.downcast::<Failed>() {
        Ok(failed) => TrainError::Device(failed.0),
        Err(other) => std::panic::resume_unwind(other),
    })
}

macro_rules! kernels {
    ($($name:ident)*) => {
        /// The functions of `kernels.cu`.
        pub(super) struct Kernels {
            $(pub(super) $name: CudaFunction,)*
        }

        impl Kernels {
            fn load(stream: &CudaStream, source: Ptx) -> Kernels {
                let module = must(stream.context().load_module(source));
                Kernels { $($name: must(module.load_function(stringify!($name))),)* }
            }
        }
    };
}

kernels! {
    add_to sum product product_to repeat sum_rows_to bag bag_back_to scale scale_to dots_to silu silu_back softmax
    softmax_back fold fold_back rms rms_back_to gain_parts unit unit_back_to block_to mask attend attend_back own forbid
    exponents pulls pull_rows push_targets adagrad
}

/// See the module. Everything runs on one stream, in the order of the calls.
pub(crate) struct Card {
    pub(super) stream: Arc<CudaStream>,
    pub(super) kernels: Kernels,
    blas: Mutex<CudaBlas>,
}

/// Numbers on a card.
pub(crate) struct Buffer {
    pub(super) slice: CudaSlice<f32>,
    pub(super) len: usize,
}

impl Card {
    /// Opens the first card and compiles the kernels for it.
    pub(super) fn open() -> Result<Card, TrainError> {
        // SAFETY: only looks for libraries; nothing of them is called.
        let found = unsafe {
            [
                (driver::is_culib_present(), "the CUDA driver"),
                (nvrtc::sys::is_culib_present(), "NVRTC"),
                (blas::is_culib_present(), "cuBLAS"),
            ]
        };
        if let Some((_, missing)) = found.into_iter().find(|(found, _)| !found) {
            return Err(TrainError::Device(format!(
                "{missing} is not installed, or not where libraries are looked for"
            )));
        }
        caught(|| {
            let context = must(CudaContext::new(0));
            // SAFETY: there is one stream, so no buffer is ever used on another one.
            unsafe { context.disable_event_tracking() };
            keep_memory(&context);
            let (major, minor) = must(context.compute_capability());
            let options = vec![format!("--gpu-architecture=compute_{major}{minor}")];
            let source = must(nvrtc::compile_ptx_with_opts(SOURCE, CompileOptions { options, ..Default::default() }));
            let stream = context.default_stream();
            let kernels = Kernels::load(&stream, source);
            let blas = Mutex::new(must(CudaBlas::new(stream.clone())));
            Card { stream, kernels, blas }
        })
    }

    /// The card's name.
    pub(super) fn name(&self) -> String {
        self.stream.context().name().unwrap_or_default()
    }

    pub(super) fn put<T: DeviceRepr + ValidAsZeroBits>(&self, values: &[T]) -> CudaSlice<T> {
        // A card gives no empty memory.
        if values.is_empty() { must(self.stream.alloc_zeros(1)) } else { must(self.stream.clone_htod(values)) }
    }

    /// Numbers of any value, to be written whole.
    pub(super) fn room(&self, len: usize) -> Buffer {
        // SAFETY: whoever asks writes every number before one is read.
        Buffer { slice: must(unsafe { self.stream.alloc(len.max(1)) }), len }
    }

    pub(super) fn get(&self, buffer: &Buffer) -> Vec<f32> {
        let mut values = must(self.stream.clone_dtoh(&buffer.slice));
        values.truncate(buffer.len);
        values
    }

    /// `to = lhs · rhs`, plus what is there when `keep`. cuBLAS thinks in columns: it is told of the transposes.
    pub(super) fn product(&self, lhs: Factor<Buffer>, rhs: Factor<Buffer>, keep: bool, to: &mut Buffer) {
        let shape = |factor: &Factor<Buffer>| match factor.turned {
            true => (factor.cols, factor.rows),
            false => (factor.rows, factor.cols),
        };
        let ((rows, inner), (_, cols)) = (shape(&lhs), shape(&rhs));
        debug_assert_eq!(to.len, rows * cols);
        if rows * inner * cols == 0 {
            return;
        }
        let turn = |factor: &Factor<Buffer>| match factor.turned {
            true => blas::cublasOperation_t::CUBLAS_OP_T,
            false => blas::cublasOperation_t::CUBLAS_OP_N,
        };
        let (alpha, beta) = (1.0f32, f32::from(u8::from(keep)));
        let ((a, _a), (b, _b)) = (rhs.values.slice.device_ptr(&self.stream), lhs.values.slice.device_ptr(&self.stream));
        let (c, _c) = to.slice.device_ptr_mut(&self.stream);
        let handle = self.blas.lock().unwrap_or_else(std::sync::PoisonError::into_inner);
        // SAFETY: all three hold a matrix of their shape, each row as long as said; `to` is borrowed exclusively.
        must(unsafe {
            cudarc::cublas::result::sgemm(
                *handle.handle(),
                turn(&rhs),
                turn(&lhs),
                cols as i32,
                rows as i32,
                inner as i32,
                &alpha,
                a as *const f32,
                rhs.cols as i32,
                b as *const f32,
                lhs.cols as i32,
                &beta,
                c as *mut f32,
                cols as i32,
            )
        });
    }
}

/// Leaves freed memory with the process, so that a step does not ask for it again.
fn keep_memory(context: &CudaContext) {
    let (mut pool, mut kept) = (std::ptr::null_mut(), KEPT_BYTES);
    // SAFETY: the device is open, and both pointers live for the calls. A device without pools says so.
    unsafe {
        if driver::cuDeviceGetDefaultMemPool(&mut pool, context.cu_device()) == driver::CUresult::CUDA_SUCCESS {
            driver::cuMemPoolSetAttribute(pool, CU_MEMPOOL_ATTR_RELEASE_THRESHOLD, (&raw mut kept).cast());
        }
    }
}

/// So many threads, in blocks.
pub(super) fn threads(count: usize) -> LaunchConfig {
    LaunchConfig { grid_dim: ((count as u32).div_ceil(BLOCK), 1, 1), block_dim: (BLOCK, 1, 1), shared_mem_bytes: 0 }
}

/// Runs a kernel; its first argument is how many pieces of work there are, of `each` threads.
macro_rules! launch {
    ($card:expr, $kernel:ident, $work:expr, $each:expr, $($argument:expr),*) => {{
        let (card, work) = ($card, $work);
        if work > 0 {
            // SAFETY: the arguments are those of the kernel in `kernels.cu`, and its threads stay in their buffers.
            must(unsafe {
                card.stream
                    .launch_builder(&card.kernels.$kernel)
                    .arg(&(work as u32))
                    $(.arg($argument))*
                    .launch(threads(work * $each))
            });
        }
    }};
}
pub(super) use launch;
