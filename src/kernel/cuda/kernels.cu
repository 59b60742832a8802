// What `kernel` does on the CPU in f32, for a GPU; maps are channels-last there too. Compiled when the first of it is needed.
//
// Every sum has one order, whatever the device: nothing adds with atomics, so a run repeats to the last bit.

// Comparisons and not `fmaxf`: NaN compares as false and so stays.
__device__ float cut(float x, float low, float high) {
    x = x < low ? low : x;
    return x > high ? high : x;
}

// The gradient before a cut, given the number after it: nothing passes at the ends.
__device__ float slope(float y, float grad, float low, float high) {
    return y <= low || (y >= high && high < __int_as_float(0x7f800000)) ? 0.0f : grad;
}

__device__ int place() { return blockIdx.x * blockDim.x + threadIdx.x; }

// out = cut(x + y); y may be missing.
extern "C" __global__ void cut_sum(float *out, const float *x, const float *y, int count, float low, float high) {
    int i = place();
    if (i < count) out[i] = cut(y ? x[i] + y[i] : x[i], low, high);
}

// out = cut(x + shift of the channel).
extern "C" __global__ void cut_shift(float *out, const float *x, const float *shift, int count, int channels, float low,
                                     float high) {
    int i = place();
    if (i < count) out[i] = cut(x[i] + shift[i % channels], low, high);
}

// out = the gradient before the cut that gave y.
extern "C" __global__ void cut_gradient(float *out, const float *y, const float *grad, int count, float low, float high) {
    int i = place();
    if (i < count) out[i] = slope(y[i], grad[i], low, high);
}

// Sums over rows for every column: 32 columns and `FOLD` rows a block, `span` rows for each of its results.
// A block's threads take every FOLD-th row and are added up in order; out is (blocks along y, columns).
const int FOLD = 16;

template <class Term> __device__ void fold(float *out, int rows, int columns, int span, Term term) {
    __shared__ float parts[FOLD][33]; // 33 and not 32: neighbours lie in different banks
    int column = blockIdx.x * 32 + threadIdx.x, first = blockIdx.y * span, last = min(rows, first + span);
    float sum = 0.0f;
    if (column < columns)
        for (int row = first + threadIdx.y; row < last; row += FOLD) sum += term(row * columns + column, column);
    parts[threadIdx.y][threadIdx.x] = sum;
    __syncthreads();
    if (threadIdx.y == 0 && column < columns) {
        float total = 0.0f;
        for (int part = 0; part < FOLD; part++) total += parts[part][threadIdx.x];
        out[blockIdx.y * columns + column] = total;
    }
}

extern "C" __global__ void column_sums(float *out, int rows, int columns, int span, const float *x) {
    fold(out, rows, columns, span, [=](int i, int) { return x[i]; });
}

// Of squared distances from the column's mean.
extern "C" __global__ void column_squares(float *out, int rows, int columns, int span, const float *x, const float *mean) {
    fold(out, rows, columns, span, [=](int i, int column) {
        float apart = x[i] - mean[column];
        return apart * apart;
    });
}

// Of gradients times normalised numbers.
extern "C" __global__ void column_products(float *out, int rows, int columns, int span, const float *grad, const float *x,
                                           const float *mean, const float *unit) {
    fold(out, rows, columns, span, [=](int i, int column) { return grad[i] * (x[i] - mean[column]) * unit[column]; });
}

// out = cut(weight (x - mean) unit + bias + residual); affine is weight, then bias; residual may be missing.
extern "C" __global__ void normalise(float *out, const float *x, const float *mean, const float *unit, const float *affine,
                                     const float *residual, int count, int channels, float low, float high) {
    int i = place();
    if (i >= count) return;
    int channel = i % channels;
    float y = affine[channel] * (x[i] - mean[channel]) * unit[channel] + affine[channels + channel];
    out[i] = cut(residual ? y + residual[i] : y, low, high);
}

// out = weight unit (grad - mean of grad - u mean of (grad u)), u = (x - mean) unit; inputs are weight, bias, and the sums
// of (grad u) and of grad.
extern "C" __global__ void normalise_gradient(float *out, const float *grad, const float *x, const float *mean,
                                              const float *unit, const float *inputs, int count, int channels) {
    int i = place();
    if (i >= count) return;
    int channel = i % channels;
    float rows = count / channels, u = (x[i] - mean[channel]) * unit[channel];
    float centred = grad[i] - inputs[3 * channels + channel] / rows - u * inputs[2 * channels + channel] / rows;
    out[i] = inputs[channel] * unit[channel] * centred;
}

// out = x / sqrt(variance + epsilon).
extern "C" __global__ void over_deviation(float *out, const float *x, const float *variance, int count, float epsilon) {
    int i = place();
    if (i < count) out[i] = x[i] / sqrtf(variance[i] + epsilon);
}

// out = from - x y; from may be missing.
extern "C" __global__ void less_product(float *out, const float *from, const float *x, const float *y, int count) {
    int i = place();
    if (i < count) out[i] = (from ? from[i] : 0.0f) - x[i] * y[i];
}

// out = x, every row of `row` numbers times one of its own.
extern "C" __global__ void scale_rows(float *out, const float *x, const float *scale, int count, int row) {
    int i = place();
    if (i < count) out[i] = x[i] * scale[i / row];
}

// Sums of x y over rows; 32 threads a row, which take every 32nd number and are added up in pairs.
extern "C" __global__ void row_products(float *out, const float *x, const float *y, int rows, int row) {
    int i = place() / 32, lane = place() % 32;
    float sum = 0.0f;
    if (i < rows)
        for (int j = lane; j < row; j += 32) sum += x[i * row + j] * y[i * row + j];
    for (int apart = 16; apart > 0; apart /= 2) sum += __shfl_down_sync(0xffffffff, sum, apart);
    if (i < rows && lane == 0) out[i] = sum;
}

// Sizes of a convolution in which every channel has its own window.
struct Sizes {
    int images, channels, size[2], out[2], window[2], stride, dilation, before[2];
};

// out = cut(bias + sum over taps of weight x); one output number a thread.
extern "C" __global__ void depthwise(float *out, const float *x, const float *weight, const float *bias, Sizes s, float low,
                                     float high) {
    int i = place(), channel = i % s.channels, pixel = i / s.channels;
    int column = pixel % s.out[1], row = pixel / s.out[1] % s.out[0], image = pixel / s.out[1] / s.out[0];
    if (image >= s.images) return;
    float sum = bias[channel];
    for (int u = 0; u < s.window[0]; u++) {
        int y = row * s.stride + u * s.dilation - s.before[0];
        if (y < 0 || y >= s.size[0]) continue;
        for (int v = 0; v < s.window[1]; v++) {
            int z = column * s.stride + v * s.dilation - s.before[1];
            if (z < 0 || z >= s.size[1]) continue;
            float tap = weight[(channel * s.window[0] + u) * s.window[1] + v];
            sum += tap * x[((image * s.size[0] + y) * s.size[1] + z) * s.channels + channel];
        }
    }
    out[i] = cut(sum, low, high);
}

// The output that reads place `at` through tap `tap` along an axis; -1 where there is none.
__device__ int reader(const Sizes &s, int axis, int at, int tap) {
    int place = at + s.before[axis] - tap * s.dilation;
    if (place < 0 || place % s.stride) return -1;
    return place / s.stride < s.out[axis] ? place / s.stride : -1;
}

// The gradient to x: every number gathers from the outputs that read it.
extern "C" __global__ void depthwise_to_input(float *out, const float *weight, const float *grad, Sizes s) {
    int i = place(), channel = i % s.channels, pixel = i / s.channels;
    int column = pixel % s.size[1], row = pixel / s.size[1] % s.size[0], image = pixel / s.size[1] / s.size[0];
    if (image >= s.images) return;
    float sum = 0.0f;
    for (int u = 0; u < s.window[0]; u++) {
        int y = reader(s, 0, row, u);
        if (y < 0) continue;
        for (int v = 0; v < s.window[1]; v++) {
            int z = reader(s, 1, column, v);
            if (z < 0) continue;
            float tap = weight[(channel * s.window[0] + u) * s.window[1] + v];
            sum += tap * grad[((image * s.out[0] + y) * s.out[1] + z) * s.channels + channel];
        }
    }
    out[i] = sum;
}

// The gradient to the weight, over `span` output pixels a thread; out is (parts, channels, taps), to be added up.
extern "C" __global__ void depthwise_to_weight(float *out, const float *x, const float *grad, Sizes s, int span) {
    int i = place(), taps = s.window[0] * s.window[1], pixels = s.images * s.out[0] * s.out[1];
    int channel = i % s.channels, tap = i / s.channels % taps, part = i / s.channels / taps;
    int first = part * span, last = min(pixels, first + span);
    if (first >= pixels) return;
    int u = tap / s.window[1] * s.dilation - s.before[0], v = tap % s.window[1] * s.dilation - s.before[1];
    float sum = 0.0f;
    for (int pixel = first; pixel < last; pixel++) {
        int column = pixel % s.out[1], row = pixel / s.out[1] % s.out[0], image = pixel / s.out[1] / s.out[0];
        int y = row * s.stride + u, z = column * s.stride + v;
        if (y < 0 || y >= s.size[0] || z < 0 || z >= s.size[1]) continue;
        sum += grad[pixel * s.channels + channel] * x[((image * s.size[0] + y) * s.size[1] + z) * s.channels + channel];
    }
    out[(part * s.channels + channel) * taps + tap] = sum;
}

// One of Adam's running means: of the gradient (power 1) or of its square (2), the gradient with `decay x` added.
extern "C" __global__ void adam_mean(float *mean, const float *grad, const float *x, int count, float keep, float decay,
                                     int power) {
    int i = place();
    if (i >= count) return;
    float g = grad[i] + decay * x[i];
    mean[i] = keep * mean[i] + (1.0f - keep) * g * (power == 2 ? g : 1.0f);
}

extern "C" __global__ void adam_move(float *x, const float *mean, const float *square, int count, float rate, float unit,
                                     float epsilon) {
    int i = place();
    if (i < count) x[i] -= rate * mean[i] / (sqrtf(square[i] * unit) + epsilon);
}
