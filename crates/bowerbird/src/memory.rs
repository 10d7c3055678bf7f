//! Memory for large arrays: in huge pages, where the system gives them.
//!
//! What is read at random from hundreds of megabytes (the graph, vectors) waits less for the tables of its pages than
//! for itself when a page is 2 MiB instead of 4 KiB.

use std::alloc::{GlobalAlloc, Layout, System};

/// From here on (bytes) an array is asked to lie in huge pages. The system's allocator gives such arrays pages of their
/// own, so that nothing else is touched.
const LARGE: usize = 32 << 20;

/// The system's allocator, which is told what is large.
pub(crate) struct Memory;

// SAFETY: the system's allocator does the work, and advice changes neither where memory lies nor what is in it.
unsafe impl GlobalAlloc for Memory {
    unsafe fn alloc(&self, layout: Layout) -> *mut u8 {
        // SAFETY: what the caller promises is what the system's allocator asks for; so below.
        advised(unsafe { System.alloc(layout) }, layout.size())
    }

    unsafe fn alloc_zeroed(&self, layout: Layout) -> *mut u8 {
        // SAFETY: see `alloc`.
        advised(unsafe { System.alloc_zeroed(layout) }, layout.size())
    }

    unsafe fn realloc(&self, old: *mut u8, layout: Layout, size: usize) -> *mut u8 {
        // SAFETY: see `alloc`.
        advised(unsafe { System.realloc(old, layout, size) }, size)
    }

    unsafe fn dealloc(&self, array: *mut u8, layout: Layout) {
        // SAFETY: see `alloc`.
        unsafe { System.dealloc(array, layout) }
    }
}

#[inline]
fn advised(array: *mut u8, size: usize) -> *mut u8 {
    if size >= LARGE && !array.is_null() {
        advise(array, size);
    }
    array
}

/// Asks for huge pages. A system that has none says so, and that is as well.
#[cold]
fn advise(array: *mut u8, size: usize) {
    #[cfg(target_os = "linux")]
    {
        use rustix::mm::{Advice, madvise};
        /// As large as any system's small pages: advice is for whole ones.
        const PAGE: usize = 64 << 10;
        let before = array.align_offset(PAGE);
        // SAFETY: the range lies in the array, which was just allocated, and this advice changes no contents.
        _ = unsafe { madvise(array.wrapping_add(before).cast(), (size - before) / PAGE * PAGE, Advice::LinuxHugepage) };
    }
    #[cfg(not(target_os = "linux"))]
    let _ = (array, size);
}

#[cfg(test)]
mod tests {
    /// The tests of this binary allocate by [`super::Memory`], too.
    #[test]
    fn large_arrays_keep_what_is_in_them() {
        let mut array = vec![7u8; super::LARGE - 1];
        array.extend_from_slice(&[8; 3]);
        array.extend((0..super::LARGE).map(|at| at as u8));
        assert!(array[..super::LARGE - 1].iter().all(|&byte| byte == 7));
        assert!(array[super::LARGE + 2..].iter().zip(0..).all(|(&byte, at)| byte == at as u8));
        assert!(vec![0u64; super::LARGE].iter().all(|&number| number == 0));
    }
}
