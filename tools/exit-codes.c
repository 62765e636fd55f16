/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "client/client.h"
#include "exit-codes.h"

VhExit vh_exit_of_client(int code)
{
    static const VhExit codes[] = {
        [VH_CLIENT_ERROR_CONNECT] = VH_EXIT_CONNECT,
        [VH_CLIENT_ERROR_QMP] = VH_EXIT_QMP,
        [VH_CLIENT_ERROR_TIMEOUT] = VH_EXIT_TIMEOUT,
        [VH_CLIENT_ERROR_PROTOCOL] = VH_EXIT_PROTOCOL,
        [VH_CLIENT_ERROR_INTERRUPTED] = VH_EXIT_OK,
    };

    return codes[code];
}
