#pragma once

namespace lqfda {

constexpr char kVersion[] = "0.1.0";

}  // namespace lqfda
