#pragma once

#define AT_HWCAP 16

#ifdef __cplusplus
extern "C" {
#endif
unsigned long getauxval(unsigned long);
#ifdef __cplusplus
}
#endif
