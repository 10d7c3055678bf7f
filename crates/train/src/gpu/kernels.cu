// What the tape computes, on a CUDA device; see tape/engine.rs for what each kernel means. One thread makes one number
// unless a kernel says otherwise; `n` is the number of threads that have work. Compiled when a card is opened, without
// any header.

typedef unsigned char u8;
typedef unsigned int u32;
typedef unsigned long long u64;

#define THREAD (blockIdx.x * blockDim.x + threadIdx.x)
#define NOBODY 0xFFFFFFFFu
#define ALL 0xFFFFFFFFu
#define INFINITE __int_as_float(0x7f800000)

extern "C" {

__global__ void add_to(u32 n, const float* x, float* to) {
  u32 i = THREAD;
  if (i < n) to[i] += x[i];
}

__global__ void sum(u32 n, const float* a, const float* b, float* out) {
  u32 i = THREAD;
  if (i < n) out[i] = a[i] + b[i];
}

__global__ void product(u32 n, const float* a, const float* b, float* out) {
  u32 i = THREAD;
  if (i < n) out[i] = a[i] * b[i];
}

__global__ void product_to(u32 n, const float* a, const float* b, float* to) {
  u32 i = THREAD;
  if (i < n) to[i] += a[i] * b[i];
}

__global__ void repeat(u32 n, const float* row, u32 cols, float* out) {
  u32 i = THREAD;
  if (i < n) out[i] = row[i % cols];
}

// A block of 32 x 8 threads sums 32 columns over a part of the rows.
__global__ void sum_rows_to(u32 rows, u32 cols, u32 part, const float* x, float* to) {
  __shared__ float sums[8][33];
  u32 col = blockIdx.x * 32 + threadIdx.x, from = blockIdx.y * part;
  u32 end = min(from + part, rows);
  float sum = 0;
  if (col < cols)
    for (u32 row = from + threadIdx.y; row < end; row += 8) sum += x[(u64)row * cols + col];
  sums[threadIdx.y][threadIdx.x] = sum;
  __syncthreads();
  if (threadIdx.y || col >= cols) return;
  for (u32 i = 1; i < 8; i++) sum += sums[i][threadIdx.x];
  atomicAdd(to + col, sum);
}

// A row of a table, and its weight.
struct Entry { u32 row; float weight; };

__global__ void bag(u32 n, const float* table, u32 cols, const u32* ends, const Entry* entries, float* out) {
  u32 i = THREAD;
  if (i >= n) return;
  u32 list = i / cols, col = i % cols;
  float sum = 0;
  for (u32 at = list ? ends[list - 1] : 0; at < ends[list]; at++) 
    sum += entries[at].weight * table[(u64)entries[at].row * cols + col];
  out[i] = sum;
}

__global__ void bag_back_to(u32 n, const float* gradient, u32 cols, const u32* ends, const Entry* entries, float* to) {
  u32 i = THREAD;
  if (i >= n) return;
  u32 list = i / cols, col = i % cols;
  for (u32 at = list ? ends[list - 1] : 0; at < ends[list]; at++)
    atomicAdd(to + (u64)entries[at].row * cols + col, entries[at].weight * gradient[i]);
}

__global__ void scale(u32 n, const float* x, u32 cols, const float* by, u32 width, u32 column, float* out) {
  u32 i = THREAD;
  if (i < n) out[i] = x[i] * by[i / cols * width + column];
}

__global__ void scale_to(u32 n, const float* gradient, u32 cols, const float* by, u32 width, u32 column, float* to) {
  u32 i = THREAD;
  if (i < n) to[i] += gradient[i] * by[i / cols * width + column];
}

__device__ float warp_sum(float x) {
  for (u32 step = 16; step; step /= 2) x += __shfl_xor_sync(ALL, x, step);
  return x;
}

__device__ float warp_max(float x) {
  for (u32 step = 16; step; step /= 2) x = fmaxf(x, __shfl_xor_sync(ALL, x, step));
  return x;
}

__device__ float warp_dot(const float* a, const float* b, u32 cols, u32 lane) {
  float sum = 0;
  for (u32 col = lane; col < cols; col += 32) sum += a[col] * b[col];
  return warp_sum(sum);
}

// A warp per row, like all kernels that begin so.
#define WARP u32 row = THREAD / 32, lane = threadIdx.x % 32; if (row >= n) return;

__global__ void dots_to(u32 n, const float* a, const float* b, u32 cols, u32 width, u32 column, float* to) {
  WARP
  float dot = warp_dot(a + (u64)row * cols, b + (u64)row * cols, cols, lane);
  if (!lane) to[row * width + column] += dot;
}

__global__ void silu(u32 n, const float* x, float* out) {
  u32 i = THREAD;
  if (i < n) out[i] = x[i] / (1 + expf(-x[i]));
}

__global__ void silu_back(u32 n, const float* x, const float* gradient, float* out) {
  u32 i = THREAD;
  if (i >= n) return;
  float sigmoid = 1 / (1 + expf(-x[i]));
  out[i] = gradient[i] * sigmoid * (1 + x[i] * (1 - sigmoid));
}

// A thread per row and group.
__global__ void softmax(u32 n, const float* x, u32 cols, u32 groups, float* out) {
  u32 i = THREAD;
  if (i >= n) return;
  u32 start = i / groups * cols, group = i % groups;
  float top = -INFINITE, total = 0;
  for (u32 at = group; at < cols; at += groups) top = fmaxf(top, x[start + at]);
  for (u32 at = group; at < cols; at += groups) total += expf(x[start + at] - top);
  for (u32 at = group; at < cols; at += groups) out[start + at] = expf(x[start + at] - top) / total;
}

__global__ void softmax_back(u32 n, const float* shares, const float* gradient, u32 cols, u32 groups, float* out) {
  u32 i = THREAD;
  if (i >= n) return;
  u32 start = i / groups * cols, group = i % groups;
  float mean = 0;
  for (u32 at = group; at < cols; at += groups) mean += shares[start + at] * gradient[start + at];
  for (u32 at = group; at < cols; at += groups) out[start + at] = shares[start + at] * (gradient[start + at] - mean);
}

__global__ void fold(u32 n, const float* x, u32 width, u32 cols, float* out) {
  u32 i = THREAD;
  if (i >= n) return;
  float sum = 0;
  for (u32 at = i % cols; at < width; at += cols) sum += x[(u64)(i / cols) * width + at];
  out[i] = sum;
}

__global__ void fold_back(u32 n, const float* gradient, u32 width, u32 cols, float* out) {
  u32 i = THREAD;
  if (i < n) out[i] = gradient[i / width * cols + i % width % cols];
}

__global__ void rms(u32 n, const float* x, u32 cols, const float* gain, u32 gained, float epsilon, float* out, float* scales) {
  WARP
  const float* from = x + (u64)row * cols;
  float scale = 1 / sqrtf(warp_dot(from, from, cols, lane) / cols + epsilon);
  for (u32 col = lane; col < cols; col += 32) out[(u64)row * cols + col] = from[col] * scale * (gained ? gain[col] : 1);
  if (!lane) scales[row] = scale;
}

__global__ void rms_back_to(u32 n, const float* x, u32 cols, const float* scales, const float* gain, u32 gained, const float* gradient, float* to) {
  WARP
  u64 start = (u64)row * cols;
  float along = 0, scale = scales[row];
  for (u32 col = lane; col < cols; col += 32) along += x[start + col] * gradient[start + col] * (gained ? gain[col] : 1);
  float pull = -warp_sum(along) * scale * scale * scale / cols;
  for (u32 col = lane; col < cols; col += 32)
    to[start + col] += scale * gradient[start + col] * (gained ? gain[col] : 1) + pull * x[start + col];
}

// What the gain's gradient is the sum of rows of.
__global__ void gain_parts(u32 n, const float* x, u32 cols, const float* scales, const float* gradient, float* out) {
  u32 i = THREAD;
  if (i < n) out[i] = gradient[i] * x[i] * scales[i / cols];
}

__global__ void unit(u32 n, const float* x, u32 cols, float epsilon, float* out, float* scales) {
  WARP
  const float* from = x + (u64)row * cols;
  float scale = 1 / sqrtf(warp_dot(from, from, cols, lane) + epsilon);
  for (u32 col = lane; col < cols; col += 32) out[(u64)row * cols + col] = from[col] * scale;
  if (!lane) scales[row] = scale;
}

__global__ void unit_back_to(u32 n, const float* value, const float* scales, const float* gradient, u32 cols, float* to) {
  WARP
  u64 start = (u64)row * cols;
  float along = warp_dot(gradient + start, value + start, cols, lane);
  for (u32 col = lane; col < cols; col += 32)
    to[start + col] += scales[row] * (gradient[start + col] - along * value[start + col]);
}

__global__ void block_to(u32 n, const float* from, u64 from_start, u64 from_stride, float* to, u64 to_start, u64 to_stride, u32 cols, u32 keep) {
  u32 i = THREAD;
  if (i >= n) return;
  float x = from[from_start + i / cols * from_stride + i % cols];
  float* at = to + to_start + i / cols * to_stride + i % cols;
  *at = keep ? *at + x : x;
}

__device__ u64 hash64(u64 z) {
  z += 0x9E3779B97F4A7C15ull;
  z = (z ^ (z >> 30)) * 0xBF58476D1CE4E5B9ull;
  z = (z ^ (z >> 27)) * 0x94D049BB133111EBull;
  return z ^ (z >> 31);
}

// A thread per 8 numbers.
__global__ void mask(u32 n, u32 len, u32 limit, float scale, u64 seed, float* out) {
  u32 i = THREAD;
  if (i >= n) return;
  u64 drawn = hash64(seed ^ ((u64)i << 1));
  for (u32 byte = 0; byte < 8 && i * 8 + byte < len; byte++)
    out[i * 8 + byte] = (u8)(drawn >> (8 * byte)) >= limit ? scale : 0;
}

// Attention. A look is: first key row, keys seen, own place, two more key rows. A warp per look and head.
struct Look { u32 start, seen, at, extras[2]; };

__device__ u32 distance_bucket(u32 distance, u32 buckets) {
  return distance < 2 ? distance : min(2 + (31 - __clz(distance - 1)), buckets - 1);
}

// The column of the bias for the `k`th row that is seen.
__device__ u32 bias_column(Look look, u32 k, u32 bias_cols) {
  if (k < look.seen) return distance_bucket(look.at - k, bias_cols - 1);
  return k == look.seen ? bias_cols - 1 : 0;
}

// The row of keys that is the `k`th that is seen.
__device__ u32 seen_row(Look look, u32 k) {
  return k < look.seen ? look.start + k : look.extras[k - look.seen];
}

__device__ float dot(const float* a, const float* b, u32 cols) {
  float sum = 0;
  for (u32 col = 0; col < cols; col++) sum += a[col] * b[col];
  return sum;
}

__global__ void attend(u32 n, const float* queries, const float* keys, u32 width, u32 value_width, const float* bias,
                       u32 bias_cols, u32 heads, const Look* looks, const u64* places, float* out, float* shares) {
  WARP
  u32 head = row % heads, one = width / heads, wide = value_width / heads, row_width = width + value_width;
  row /= heads;
  Look look = looks[row];
  u32 count = look.seen + 2;
  float* share = shares + places[row] * heads + (u64)head * count;
  const float* query = queries + (u64)row * width + head * one;
  float top = -INFINITE, total = 0, scale = rsqrtf((float)one);
  for (u32 k = lane; k < count; k += 32) {
    u32 key = seen_row(look, k);
    float score = key == NOBODY ? -INFINITE
        : dot(query, keys + (u64)key * row_width + head * one, one) * scale + bias[head * bias_cols + bias_column(look, k, bias_cols)];
    share[k] = score;
    top = fmaxf(top, score);
  }
  top = warp_max(top);
  // Who sees nobody hears nothing.
  for (u32 k = lane; k < count; k += 32) {
    share[k] = top == -INFINITE ? 0 : expf(share[k] - top);
    total += share[k];
  }
  total = warp_sum(total);
  for (u32 k = lane; k < count; k += 32) share[k] = total > 0 ? share[k] / total : 0;
  __syncwarp();
  for (u32 col = lane; col < wide; col += 32) {
    float mixed = 0;
    for (u32 k = 0; k < count; k++) {
      u32 key = seen_row(look, k);
      if (key != NOBODY) mixed += share[k] * keys[(u64)key * row_width + width + head * wide + col];
    }
    out[(u64)row * value_width + head * wide + col] = mixed;
  }
}

// `pulls` has a place for each share.
__global__ void attend_back(u32 n, const float* queries, const float* keys, u32 width, u32 value_width, u32 bias_cols,
                            u32 heads, const Look* looks, const u64* places, const float* shares, const float* gradient,
                            float* pulls, float* d_queries, float* d_keys, float* d_bias) {
  WARP
  u32 head = row % heads, one = width / heads, wide = value_width / heads, row_width = width + value_width;
  row /= heads;
  Look look = looks[row];
  u32 count = look.seen + 2;
  const float* share = shares + places[row] * heads + (u64)head * count;
  float* pull = pulls + places[row] * heads + (u64)head * count;
  const float* query = queries + (u64)row * width + head * one;
  const float* out = gradient + (u64)row * value_width + head * wide;
  float mean = 0, scale = rsqrtf((float)one);
  for (u32 k = lane; k < count; k += 32) {
    u32 key = seen_row(look, k);
    pull[k] = key == NOBODY ? 0 : dot(out, keys + (u64)key * row_width + width + head * wide, wide);
    mean += share[k] * pull[k];
  }
  mean = warp_sum(mean);
  for (u32 k = lane; k < count; k += 32) pull[k] = share[k] * (pull[k] - mean);
  for (u32 column = 0; column < bias_cols; column++) {
    float sum = 0;
    for (u32 k = lane; k < count; k += 32)
      if (bias_column(look, k, bias_cols) == column) sum += pull[k];
    sum = warp_sum(sum);
    if (!lane && sum != 0) atomicAdd(d_bias + head * bias_cols + column, sum);
  }
  __syncwarp();
  for (u32 col = lane; col < one; col += 32) {
    float sum = 0;
    for (u32 k = 0; k < count; k++) {
      u32 key = seen_row(look, k);
      if (key == NOBODY) continue;
      u64 at = (u64)key * row_width + head * one + col;
      sum += pull[k] * scale * keys[at];
      atomicAdd(d_keys + at, pull[k] * scale * query[col]);
    }
    d_queries[(u64)row * width + head * one + col] = sum;
  }
  for (u32 col = lane; col < wide; col += 32)
    for (u32 k = 0; k < count; k++) {
      u32 key = seen_row(look, k);
      if (key != NOBODY) atomicAdd(d_keys + (u64)key * row_width + width + head * wide + col, share[k] * out[col]);
    }
}

// The sampled softmax, over rows of cosines. A list per question: `ends`.

// A thread per target: e to its score, less the scale.
__global__ void own(u32 n, const float* scores, u32 candidates, const u32* questions, const u32* targets, float scale, float* out) {
  u32 i = THREAD;
  if (i < n) out[i] = expf(scale * (scores[(u64)questions[i] * candidates + targets[i]] - 1));
}

// A thread per entry: what is the pinner's own is nobody to be told from.
__global__ void forbid(u32 n, float* scores, u32 candidates, const u32* questions, const u32* positives) {
  u32 i = THREAD;
  if (i < n) scores[(u64)questions[i] * candidates + positives[i]] = -INFINITE;
}

// A block per question: cosines become exponents, and their sum.
__global__ void exponents(float* scores, u32 candidates, const float* log_chance, float scale, float* rest) {
  __shared__ float sums[32];
  float* row = scores + (u64)blockIdx.x * candidates;
  float sum = 0;
  for (u32 i = threadIdx.x; i < candidates; i += blockDim.x) {
    float e = expf(row[i] * scale - log_chance[i] - scale);
    row[i] = e;
    sum += e;
  }
  sum = warp_sum(sum);
  if (threadIdx.x % 32 == 0) sums[threadIdx.x / 32] = sum;
  __syncthreads();
  if (threadIdx.x >= 32) return;
  sum = warp_sum(threadIdx.x < blockDim.x / 32 ? sums[threadIdx.x] : 0);
  if (!threadIdx.x) rest[blockIdx.x] = sum;
}

// A thread per question: how strongly all its candidates are pulled, and its loss.
__global__ void pulls(u32 n, const u32* ends, const float* own, const float* weights, const float* rest, float share, float scale, float* pull, float* loss) {
  u32 i = THREAD;
  if (i >= n) return;
  float all = 0, lost = 0;
  for (u32 at = i ? ends[i - 1] : 0; at < ends[i]; at++) {
    float total = own[at] + rest[i], weight = weights[at] * share;
    all += weight * scale / total;
    lost -= weight * logf(fmaxf(own[at] / total, 1.17549435e-38f));
  }
  pull[i] = all;
  loss[i] = lost;
}

__global__ void pull_rows(u64 n, float* scores, u32 candidates, const float* pull) {
  for (u64 i = THREAD; i < n; i += (u64)gridDim.x * blockDim.x) scores[i] *= pull[i / candidates];
}

// A thread per target.
__global__ void push_targets(u32 n, float* scores, u32 candidates, const u32* questions, const u32* targets, const float* own, const float* weights, const float* rest, float share, float scale) {
  u32 i = THREAD;
  if (i >= n) return;
  float chance = own[i] / (own[i] + rest[questions[i]]);
  atomicAdd(scores + (u64)questions[i] * candidates + targets[i], -weights[i] * share * (1 - chance) * scale);
}

// Row-wise Adagrad. A warp per row of the table that is used, by the pins from its start on.
__global__ void adagrad(u32 n, const u32* rows, const u32* starts, const u32* pins, const float* gradients, u32 dim, float rate, float epsilon, float* table, float* sums) {
  WARP
  u64 at = (u64)rows[row] * dim;
  float square = 0;
  for (u32 col = lane; col < dim; col += 32) {
    float sum = 0;
    for (u32 i = starts[row]; i < starts[row + 1]; i++) sum += gradients[(u64)pins[i] * dim + col];
    square += sum * sum;
  }
  float total = sums[rows[row]] + warp_sum(square) / dim;
  float step = rate / (sqrtf(total) + epsilon);
  __syncwarp();
  for (u32 col = lane; col < dim; col += 32) {
    float sum = 0;
    for (u32 i = starts[row]; i < starts[row + 1]; i++) sum += gradients[(u64)pins[i] * dim + col];
    table[at + col] -= step * sum;
  }
  if (!lane) sums[rows[row]] = total;
}

}
