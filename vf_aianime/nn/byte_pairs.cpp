// SPDX-License-Identifier: LGPL-2.1-or-later
#include "nn/byte_pairs.h"

#include <queue>
#include <tuple>
#include <utility>

#include "io/error.h"
#include "io/text.h"

namespace aianime::nn {

namespace {

uint64_t pair_key(int32_t left, int32_t right) {
    return static_cast<uint64_t>(static_cast<uint32_t>(left)) << 32 | static_cast<uint32_t>(right);
}

// A symbol of the word, in a list that merging shortens.
struct Symbol {
    int32_t token;
    size_t previous, next;
    bool gone = false;
};

// A pair that can be merged, as it was when it was found.
struct Candidate {
    int32_t rank;
    size_t left, right;
    int32_t left_token, right_token, merged;
    bool operator>(const Candidate &other) const { return std::tie(rank, left) > std::tie(other.rank, other.left); }
};

} // namespace

BytePairs::BytePairs(TokenizerFiles files) : vocabulary_(std::move(files.vocabulary)) {
    for (const auto &[left, right] : files.merges) {
        const int32_t left_token = token(left), right_token = token(right), merged = token(left + right);
        if (left_token < 0 || right_token < 0 || merged < 0)
            throw Error(AIANIME_BAD_DATA, io::printable(files.merges_file) + ": merge " + std::to_string(merges_.size() + 1) +
                                              ": " + io::quoted(left + right) +
                                              " or a part of it is not in the vocabulary; the two do not belong together");
        merges_.emplace(pair_key(left_token, right_token), Merge{static_cast<int32_t>(merges_.size()), merged});
    }
}

int32_t BytePairs::token(const std::string &text) const {
    const auto found = vocabulary_.find(text);
    return found == vocabulary_.end() ? -1 : found->second;
}

const BytePairs::Merge *BytePairs::find(int32_t left, int32_t right) const {
    const auto found = merges_.find(pair_key(left, right));
    return found == merges_.end() ? nullptr : &found->second;
}

void BytePairs::encode(const std::vector<std::string> &symbols, int32_t unknown, std::vector<int64_t> &out) const {
    const size_t none = symbols.size();
    std::vector<Symbol> word;
    for (const std::string &symbol : symbols) {
        const int32_t found = token(symbol);
        word.push_back({found < 0 ? unknown : found, word.empty() ? none : word.size() - 1, word.size() + 1});
    }

    std::priority_queue<Candidate, std::vector<Candidate>, std::greater<>> queue;
    const auto consider = [&](size_t left, size_t right) {
        if (left == none || right == none)
            return;
        if (const Merge *merge = find(word[left].token, word[right].token))
            queue.push({merge->rank, left, right, word[left].token, word[right].token, merge->token});
    };
    for (size_t i = 0; i + 1 < word.size(); ++i)
        consider(i, i + 1);
    while (!queue.empty()) {
        const Candidate best = queue.top();
        queue.pop();
        Symbol &left = word[best.left];
        Symbol &right = word[best.right];
        const bool stale =
            left.gone || right.gone || left.next != best.right || left.token != best.left_token || right.token != best.right_token;
        if (stale)
            continue;
        left.token = best.merged;
        left.next = right.next;
        right.gone = true;
        if (right.next != none)
            word[right.next].previous = best.left;
        consider(left.previous, best.left);
        consider(best.left, left.next);
    }
    for (const Symbol &symbol : word)
        if (!symbol.gone)
            out.push_back(symbol.token);
}

} // namespace aianime::nn
