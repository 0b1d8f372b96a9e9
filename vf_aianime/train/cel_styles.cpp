// SPDX-License-Identifier: LGPL-2.1-or-later
#include "train/cel_styles.h"

#include "train/teacher.h"

namespace aianime::train {
namespace {

const cv::Matx33f as_it_is(1, 0, 0, 0, 1, 0, 0, 0, 1);
// Blue and green fade, red and yellow glow.
const cv::Matx33f warmer(1.05f, 0.10f, 0.10f, 0.05f, 0.80f, 0, -0.10f, 0, 0.60f);
const cv::Matx33f greener(0.85f, 0, 0, 0.10f, 1, 0.15f, 0, 0, 0.75f);
const cv::Matx33f faded(1, 0.05f, 0, 0.03f, 0.85f, 0.08f, 0, 0.10f, 0.75f);
const cv::Matx33f colder(0.75f, 0, 0, 0.05f, 0.80f, 0.10f, 0.10f, 0.15f, 1);
// Reds towards magenta, greens towards cyan.
const cv::Matx33f electric(1.1f, -0.15f, 0, -0.10f, 1.05f, 0, 0.35f, 0.30f, 1);

using V = cv::Vec3f;

const CelInk pop = {"pop",
                    "pop anime style",
                    {V(0.10f, 0.08f, 0.17f), V(0.38f, 0.37f, 0.45f), V(0.76f, 0.76f, 0.79f), V(1, 1, 0.99f)},
                    {V(0.24f, 0.10f, 0.12f), V(0.68f, 0.37f, 0.33f), V(0.97f, 0.74f, 0.62f), V(1, 0.94f, 0.87f)},
                    0.6f,
                    1.7f,
                    as_it_is,
                    0.85f,
                    6,
                    3.4f,
                    V(0.06f, 0.03f, 0.10f),
                    0.92f,
                    32,
                    86,
                    46};
const CelInk ink = {"ink",
                    "ink manga style",
                    {V(0.05f, 0.05f, 0.06f), V(0.40f, 0.40f, 0.40f), V(0.80f, 0.79f, 0.77f), V(0.98f, 0.97f, 0.94f)},
                    {V(0.10f, 0.10f, 0.10f), V(0.62f, 0.61f, 0.60f), V(0.95f, 0.94f, 0.91f), V(0.98f, 0.97f, 0.94f)},
                    0.8f,
                    0.06f,
                    as_it_is,
                    0.75f,
                    5,
                    3.8f,
                    V(0.02f, 0.02f, 0.03f),
                    1,
                    40,
                    88,
                    30};
const CelInk pastel = {"pastel",
                       "pastel anime style",
                       {V(0.45f, 0.40f, 0.53f), V(0.66f, 0.62f, 0.72f), V(0.89f, 0.86f, 0.90f), V(1, 0.99f, 0.97f)},
                       {V(0.52f, 0.36f, 0.42f), V(0.85f, 0.63f, 0.62f), V(0.99f, 0.85f, 0.79f), V(1, 0.96f, 0.92f)},
                       0.6f,
                       1.1f,
                       as_it_is,
                       0.8f,
                       6,
                       3,
                       V(0.36f, 0.25f, 0.38f),
                       0.75f,
                       58,
                       90,
                       30};
const CelInk night = {"night",
                      "night anime style",
                      {V(0.04f, 0.03f, 0.13f), V(0.13f, 0.14f, 0.40f), V(0.36f, 0.38f, 0.75f), V(0.82f, 0.87f, 1)},
                      {V(0.10f, 0.05f, 0.20f), V(0.33f, 0.22f, 0.47f), V(0.68f, 0.53f, 0.78f), V(0.92f, 0.87f, 0.98f)},
                      0.6f,
                      0.8f,
                      colder,
                      0.95f,
                      6,
                      3.2f,
                      V(0.02f, 0.01f, 0.08f),
                      0.92f,
                      20,
                      68,
                      42};
const CelInk sunset = {"sunset",
                       "sunset anime style",
                       {V(0.20f, 0.07f, 0.22f), V(0.62f, 0.25f, 0.36f), V(0.98f, 0.62f, 0.42f), V(1, 0.94f, 0.72f)},
                       {V(0.28f, 0.08f, 0.18f), V(0.76f, 0.34f, 0.30f), V(1, 0.70f, 0.48f), V(1, 0.92f, 0.72f)},
                       0.5f,
                       0.9f,
                       warmer,
                       0.9f,
                       6,
                       3.2f,
                       V(0.14f, 0.02f, 0.14f),
                       0.9f,
                       30,
                       84,
                       44};
const CelInk forest = {"forest",
                       "forest anime style",
                       {V(0.08f, 0.17f, 0.16f), V(0.28f, 0.46f, 0.36f), V(0.68f, 0.82f, 0.60f), V(0.98f, 1, 0.88f)},
                       {V(0.24f, 0.16f, 0.12f), V(0.66f, 0.48f, 0.34f), V(0.95f, 0.81f, 0.60f), V(1, 0.96f, 0.82f)},
                       0.6f,
                       1.2f,
                       greener,
                       0.85f,
                       7,
                       2.6f,
                       V(0.08f, 0.14f, 0.10f),
                       0.75f,
                       34,
                       86,
                       36};
const CelInk retro = {"retro",
                      "retro anime style",
                      {V(0.13f, 0.09f, 0.10f), V(0.45f, 0.36f, 0.31f), V(0.85f, 0.74f, 0.57f), V(0.98f, 0.94f, 0.80f)},
                      {V(0.26f, 0.12f, 0.08f), V(0.68f, 0.40f, 0.27f), V(0.95f, 0.73f, 0.52f), V(0.99f, 0.91f, 0.74f)},
                      0.6f,
                      1.35f,
                      faded,
                      0.95f,
                      5,
                      3.6f,
                      V(0.12f, 0.05f, 0.04f),
                      0.95f,
                      30,
                      82,
                      40};
const CelInk neon = {"neon",
                     "neon anime style",
                     {V(0.05f, 0.01f, 0.12f), V(0.34f, 0.05f, 0.52f), V(0.20f, 0.55f, 0.92f), V(0.75f, 1, 0.98f)},
                     {V(0.16f, 0.02f, 0.24f), V(0.62f, 0.12f, 0.55f), V(1, 0.52f, 0.68f), V(1, 0.88f, 0.90f)},
                     0.7f,
                     1.3f,
                     electric,
                     1.05f,
                     6,
                     3.4f,
                     V(0.02f, 0, 0.07f),
                     0.92f,
                     28,
                     78,
                     56};

} // namespace

const std::array<CelInk, 8> &cel_inks() {
    static const std::array<CelInk, 8> inks = {pop, ink, pastel, night, sunset, forest, retro, neon};
    return inks;
}

const std::vector<CelStyle> &cel_styles() {
    static const std::vector<CelStyle> styles = [] {
        std::vector<CelStyle> list;
        for (const CelInk &ink : cel_inks())
            list.push_back({ink.name, ink.prompt, static_cast<int>(list.size())});
        return list;
    }();
    return styles;
}

const std::vector<HueWord> &hue_words() {
    static const std::vector<HueWord> words = {{28, "red"},   {88, "yellow"}, {148, "green"},
                                               {208, "teal"}, {268, "blue"},  {328, "purple"}};
    return words;
}

} // namespace aianime::train
