// SPDX-License-Identifier: LGPL-2.1-or-later
// The kernel of cross_kernel.cpp, which includes this once for each set of instructions it is compiled for; nothing but that file
// may. No header may be included from here: what it defines would be compiled for that set, too.

// Lanes of vector instructions, spelled out: GCC makes little of loops as short as a head is wide.
typedef float Four __attribute__((vector_size(16)));
typedef float Eight __attribute__((vector_size(32)));
typedef float Sixteen __attribute__((vector_size(64)));
typedef int32_t EightInt __attribute__((vector_size(32)));
typedef uint32_t EightBits __attribute__((vector_size(32)));
typedef uint16_t EightShort __attribute__((vector_size(16)));
typedef uint32_t SixteenBits __attribute__((vector_size(64)));
typedef uint16_t SixteenShort __attribute__((vector_size(32)));

template <typename Lanes, typename Number>
inline void load(Lanes &lanes, const Number *from) {
    std::memcpy(&lanes, from, sizeof(lanes));
}

template <typename Lanes, typename Number>
inline void save(const Lanes &lanes, Number *to) {
    std::memcpy(to, &lanes, sizeof(lanes));
}

inline void read(Eight &lanes, const float *from) { load(lanes, from); }

inline void read(Eight &lanes, const uint16_t *from) {
    EightShort narrow;
    load(narrow, from);
    lanes = reinterpret_cast<Eight>(__builtin_convertvector(narrow, EightBits) << 16);
}

inline void read(Sixteen &lanes, const float *from) { load(lanes, from); }

inline void read(Sixteen &lanes, const uint16_t *from) {
    SixteenShort narrow;
    load(narrow, from);
    lanes = reinterpret_cast<Sixteen>(__builtin_convertvector(narrow, SixteenBits) << 16);
}

inline void write(const Eight &lanes, float *to) { save(lanes, to); }

// To the nearest, ties to even.
inline void write(const Eight &lanes, uint16_t *to) {
    const EightBits bits = reinterpret_cast<EightBits>(lanes);
    save(__builtin_convertvector((bits + 0x7fff + ((bits >> 16) & 1)) >> 16, EightShort), to);
}

// exp(x) for x <= 0, to 3e-7 of it: 2^n times a polynomial on [-0.5, 0.5].
inline void exponential(Eight &x) {
    const Eight t = (x < -80.0f ? x * 0 - 80.0f : x) * 1.44269504f;
    const EightInt n = __builtin_convertvector(t - 0.5f, EightInt);
    const Eight f = (t - __builtin_convertvector(n, Eight)) * 0.69314718f;
    const Eight p = 1 + f * (1 + f * (0.5f + f * (0.16666667f + f * (0.041666668f + f * (0.008333334f + f * 0.0013888889f)))));
    x = p * reinterpret_cast<Eight>((n + 127) << 23);
}

template <typename Number>
class Frame {
public:
    inline Frame(const CrossFrame<Number> &frame, float *memory)
        : f(frame), c(frame.channels), d(c / frame.heads), aligned(whole(1 + static_cast<int64_t>(f.slots.size()))),
          all(aligned + whole(f.coarse)), query(memory), found(query + c), weights(found + aligned * 2 * c), trust(weights + all),
          biases(trust + all), sum(biases + all * f.heads), scale(1 / __builtin_sqrtf(static_cast<float>(d))) {
        for (int64_t i = 0; i < all; i++)
            trust[i] = i == 0 || (i >= aligned && i < aligned + f.coarse) ? 1 : 0;
        for (int64_t head = 0; head < f.heads; head++) {
            float *row = biases + head * all;
            for (int64_t i = 0; i < all; i++)
                row[i] = -1e30f; // lanes that stand for nothing
            row[0] = f.own ? f.own_bias[head] : 0;
            for (int64_t g = 0; g < f.coarse; g++)
                row[aligned + g] = f.coarse_bias[head];
        }
    }

    inline void token(int64_t place, Number *out) {
        const Number *q = f.queries + place * c;
        Eight lanes, other;
        for (int64_t i = 0; i < c; i += 8) {
            read(lanes, q + i);
            save(lanes * scale, query + i);
        }
        if (f.own)
            copy(f.own + place * 2 * c, found, 2 * c);
        else
            copy(f.mean + place * c, found + c, c);
        look(place);
        for (int64_t head = 0; head < f.heads; head++)
            attend(head, place);
        for (int64_t i = 0; i < c; i += 8) {
            load(lanes, sum + i);
            load(other, found + c + i);
            write(f.own ? lanes - other : lanes, out + place * c + i);
        }
    }

private:
    inline void copy(const Number *from, float *to, int64_t size) const {
        Eight lanes;
        for (int64_t i = 0; i < size; i += 8) {
            read(lanes, from + i);
            save(lanes, to + i);
        }
    }

    // Gathers what the flow leads to.
    inline void look(int64_t place) {
        const int64_t tokens = f.height * f.width, y = place / f.width, x = place - y * f.width;
        count = 1;
        for (const auto &slot : f.slots) {
            const float valid = slot.valid[place];
            if (!slot.keys || !(valid > 0))
                continue;
            gather(slot, static_cast<float>(x) + slot.flow[place], static_cast<float>(y) + slot.flow[tokens + place],
                   found + count * 2 * c);
            for (int64_t head = 0; head < f.heads; head++)
                biases[head * all + count] = slot.bias[head];
            trust[count++] = valid;
        }
        for (int64_t head = 0; head < f.heads; head++)
            for (int64_t i = count; i < aligned; i++)
                biases[head * all + i] = -1e30f;
    }

    inline void gather(const typename CrossFrame<Number>::Slot &slot, float x, float y, float *to) const {
        const auto right = static_cast<float>(f.width - 1), bottom = static_cast<float>(f.height - 1);
        x = x < 0 ? 0 : x > right ? right : x;
        y = y < 0 ? 0 : y > bottom ? bottom : y;
        const auto left = static_cast<int64_t>(x), top = static_cast<int64_t>(y);
        const float a = x - static_cast<float>(left), b = y - static_cast<float>(top);
        const int64_t step = left + 1 < f.width ? slot.stride : 0, line = top + 1 < f.height ? f.width * slot.stride : 0,
                      first = (top * f.width + left) * slot.stride;
        const float shares[4] = {(1 - a) * (1 - b), a * (1 - b), (1 - a) * b, a * b};
        mix(slot.keys + first, step, line, shares, to);
        mix(slot.values + first, step, line, shares, to + c);
    }

    // Four neighbouring tokens.
    inline void mix(const Number *p, int64_t step, int64_t line, const float *shares, float *to) const {
        int64_t i = 0;
        for (; i + 16 <= c; i += 16)
            mix<Sixteen>(p + i, step, line, shares, to + i);
        for (; i < c; i += 8)
            mix<Eight>(p + i, step, line, shares, to + i);
    }

    template <typename Lanes>
    inline void mix(const Number *p, int64_t step, int64_t line, const float *shares, float *to) const {
        Lanes one, two, three, four;
        read(one, p);
        read(two, p + step);
        read(three, p + line);
        read(four, p + line + step);
        save(one * shares[0] + two * shares[1] + three * shares[2] + four * shares[3], to);
    }

    inline void attend(int64_t head, int64_t place) {
        const float *q = query + head * d;
        weights[0] = f.own ? product(q, found + head * d) : f.log_sum[place * f.heads + head];
        for (int64_t j = 1; j < count; j++)
            weights[j] = product(q, found + j * 2 * c + head * d);
        for (int64_t j = count; j < aligned; j++)
            weights[j] = weights[0];
        int64_t g = 0;
        for (; g + 32 <= all - aligned; g += 32)
            products<4>(head, g);
        for (; g < all - aligned; g += 8)
            products<1>(head, g);
        const float share = 1 / weigh(head);
        int64_t i = head * d;
        for (; i + 8 <= head * d + d; i += 8)
            mean<Eight>(i, share);
        for (; i < head * d + d; i += 4)
            mean<Four>(i, share);
    }

    // With 8 * n coarse keys at once; so many sums wait for each other less than one would for itself.
    template <int n>
    inline void products(int64_t head, int64_t g) {
        const int64_t row = all - aligned;
        const float *k = f.coarse_keys + head * d * row + g;
        Eight sums[n] = {}, lanes;
        for (int64_t i = 0; i < d; i++)
#pragma GCC unroll 4
            for (int part = 0; part < n; part++) {
                load(lanes, k + i * row + part * 8);
                sums[part] += query[head * d + i] * lanes;
            }
#pragma GCC unroll 4
        for (int part = 0; part < n; part++)
            save(sums[part], weights + aligned + g + part * 8);
    }

    // Of the values' channels from `i` on.
    template <typename Lanes>
    inline void mean(int64_t i, float share) {
        Lanes sums[4] = {}, lanes;
        for (int64_t j = 0; j < count; j++) {
            load(lanes, found + j * 2 * c + c + i);
            sums[0] += weights[j] * lanes;
        }
        int64_t g = 0;
        for (; g + 4 <= f.coarse; g += 4)
#pragma GCC unroll 4
            for (int part = 0; part < 4; part++) {
                load(lanes, f.coarse_values + (g + part) * c + i);
                sums[part] += weights[aligned + g + part] * lanes;
            }
        for (; g < f.coarse; g++) {
            load(lanes, f.coarse_values + g * c + i);
            sums[0] += weights[aligned + g] * lanes;
        }
        save(((sums[0] + sums[1]) + (sums[2] + sums[3])) * share, sum + i);
    }

    inline float product(const float *a, const float *b) const {
        Four total = {}, one, other;
        for (int64_t i = 0; i < d; i += 4) {
            load(one, a + i);
            load(other, b + i);
            total += one * other;
        }
        return (total[0] + total[1]) + (total[2] + total[3]);
    }

    // Products to weights that are not yet divided by their sum, which is returned.
    inline float weigh(int64_t head) {
        const float *bias = biases + head * all;
        Eight highest = Eight{} - 1e30f, lanes, total = {}, other;
        for (int64_t j = 0; j < all; j += 8) {
            load(lanes, weights + j);
            load(other, bias + j);
            lanes += other;
            save(lanes, weights + j);
            highest = lanes > highest ? lanes : highest;
        }
        float top = highest[0];
        for (int i = 1; i < 8; i++)
            top = highest[i] > top ? highest[i] : top;
        for (int64_t j = 0; j < all; j += 8) {
            load(lanes, weights + j);
            load(other, trust + j);
            lanes -= top;
            exponential(lanes);
            lanes *= other;
            total += lanes;
            save(lanes, weights + j);
        }
        return ((total[0] + total[1]) + (total[2] + total[3])) + ((total[4] + total[5]) + (total[6] + total[7]));
    }

    const CrossFrame<Number> &f;
    const int64_t c, d, aligned, all; // candidates of a head, in whole lanes
    int64_t count = 1;
    float *query, *found, *weights, *trust, *biases, *sum;
    const float scale;
};

template <typename Number>
void run(const CrossFrame<Number> &frame, float *memory, int64_t begin, int64_t end, Number *out) {
    Frame<Number> tokens(frame, memory);
    for (int64_t place = begin; place < end; place++)
        tokens.token(place, out);
}
