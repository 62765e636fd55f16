/* SPDX-License-Identifier: GPL-2.0-or-later */
/* History as JSON: as the exporter's interface says. */
#include <json-glib/json-glib.h>
#include <math.h>
#include <string.h>

#include "history/history-json.h"
#include "sim.h"

#define SECOND 1000000ll

typedef struct Lab {
    VhHistory *h;
    VhHistoryView *v;
    Sim sim;
} Lab;

static void lab_begin(Lab *lab)
{
    VhHistoryPoint p = { NAN, 5e9, NAN, NAN, 0.00125 };
    VhStateRange r = {
        .size = SIM_LOW_END, .block = "a \"ram\"\n", .device = "d\"0", .node = 2
    };

    lab->h = vh_history_new(&(VhHistoryLimits){ 0 });
    sim_init(&lab->sim, 16, 0.2, 0);
    vh_history_set_ranges(lab->h, SIM_WALL_US, &r, 1);
    for (int i = 0; i < 10; i++) {
        sim_step(&lab->sim);
        vh_history_add(lab->h, &lab->sim.snapshot, lab->sim.wall_us, &p);
    }
    lab->v = vh_history_view(lab->h);
}

static void lab_end(Lab *lab)
{
    vh_history_view_free(lab->v);
    vh_history_free(lab->h);
    sim_clear(&lab->sim);
}

static JsonNode *parse(char *text)
{
    g_autofree char *own = text;
    GError *error = NULL;
    JsonNode *node = json_from_string(own, &error);

    g_assert_no_error(error);
    return node;
}

static void check_bytes(JsonObject *o, const char *name, const uint8_t *bytes,
                        size_t size)
{
    gsize got;
    g_autofree guchar *data =
        g_base64_decode(json_object_get_string_member(o, name), &got);

    g_assert_cmpmem(data, got, bytes, size);
}

static void test_series(void)
{
    g_autoptr(VhHistorySeries) s = NULL;
    g_autoptr(JsonNode) node = NULL;
    JsonObject *o;
    JsonArray *has;
    Lab lab;

    lab_begin(&lab);
    s = vh_history_series(lab.v, SIM_WALL_US - 10 * SECOND,
                          SIM_WALL_US + 10 * SECOND, 4);
    node = parse(vh_history_series_json(s));
    o = json_node_get_object(node);
    g_assert_cmpfloat(json_object_get_double_member(o, "from"), ==, 1699999990);
    g_assert_cmpfloat(json_object_get_double_member(o, "step"), ==, 5);
    for (unsigned i = 0; i < VH_VALUES; i++) {
        has = json_object_get_array_member(o, vh_history_value_name(i));
        g_assert_cmpint(json_array_get_length(has), ==, 4);
        g_assert_true(json_array_get_null_element(has, 0));
    }
    has = json_object_get_array_member(o, "has");
    g_assert_cmpfloat(json_array_get_double_element(has, 3), ==, 5e9);
    has = json_object_get_array_member(o, "cost");
    g_assert_cmpfloat_with_epsilon(json_array_get_double_element(has, 3),
                                   0.00125, 1e-6);
    has = json_object_get_array_member(o, "saved");
    g_assert_true(json_array_get_null_element(has, 3));
    has = json_object_get_array_member(o, "times");
    g_assert_cmpfloat(json_array_get_double_element(has, 1), ==, 1699999995);
    lab_end(&lab);
}

static void test_raster(void)
{
    VhRasterQuery q = { SIM_WALL_US, SIM_WALL_US + 10 * SECOND, 7, 5 };
    g_autoptr(VhRaster) r = NULL;
    g_autoptr(JsonNode) node = NULL;
    JsonObject *o, *second;
    Lab lab;

    lab_begin(&lab);
    r = vh_history_raster(lab.v, &q);
    node = parse(vh_raster_json(r));
    o = json_node_get_object(node);
    g_assert_cmpint(json_object_get_int_member(o, "columns"), ==, 7);
    g_assert_cmpint(json_object_get_int_member(o, "rows"), ==, 5);
    check_bytes(o, "data", r->data, 35);
    check_bytes(o, "idle", r->idle, 35);
    second = json_array_get_object_element(
        json_object_get_array_member(o, "spans"), 1);
    g_assert_cmpint(json_object_get_int_member(second, "start"), ==,
                    SIM_HIGH_START);
    g_assert_cmpint(json_object_get_int_member(second, "row"), ==, 3);
    o = json_object_get_object_member(o, "scale");
    g_assert_cmpfloat(json_object_get_double_member(o, "low"), ==, 0.01);
    g_assert_true(json_object_get_boolean_member(o, "log"));
    lab_end(&lab);
}

static void test_column(void)
{
    g_autoptr(VhRaster) a = NULL;
    g_autoptr(VhRaster) b = NULL;
    g_autoptr(JsonNode) first = NULL;
    g_autoptr(JsonNode) same = NULL;
    g_autoptr(JsonNode) other = NULL;
    JsonObject *o;
    Lab lab;

    lab_begin(&lab);
    a = vh_history_column(lab.v, 9, 0, 0);
    b = vh_history_column(lab.v, 9, 0, 1 << 30);
    first = parse(vh_raster_column_json(a, NULL));
    same = parse(vh_raster_column_json(a, a));
    other = parse(vh_raster_column_json(b, a));
    o = json_node_get_object(first);
    g_assert_cmpfloat(json_object_get_double_member(o, "time"), ==,
                      lab.sim.wall_us / 1e6);
    check_bytes(o, "data", a->data, 9);
    g_assert_true(json_object_has_member(o, "spans"));
    o = json_node_get_object(same);
    g_assert_false(json_object_has_member(o, "spans"));
    o = json_node_get_object(other);
    g_assert_true(json_object_has_member(o, "spans"));
    lab_end(&lab);
}

static void test_region(void)
{
    g_autoptr(JsonNode) node = NULL;
    g_autoptr(JsonNode) other = NULL;
    VhHistoryRegion r;
    JsonObject *o;
    Lab lab;

    lab_begin(&lab);
    g_assert_true(vh_history_region(lab.v, lab.sim.wall_us, 4096, &r));
    node = parse(vh_history_region_json(&r));
    o = json_node_get_object(node);
    g_assert_cmpint(json_object_get_int_member(o, "start"), ==, 0);
    g_assert_cmpint(json_object_get_int_member(o, "end"), ==, SIM_TOTAL / 16);
    g_assert_cmpint(json_object_get_int_member(o, "max_nr_accesses"), ==, 20);
    g_assert_cmpstr(json_object_get_string_member(o, "block"), ==,
                    "a \"ram\"\n");
    g_assert_cmpint(json_object_get_int_member(o, "node"), ==, 2);
    g_assert_true(json_object_get_null_member(o, "write_rate"));
    vh_history_region_clear(&r);
    g_assert_true(
        vh_history_region(lab.v, lab.sim.wall_us, SIM_HIGH_START, &r));
    other = parse(vh_history_region_json(&r));
    o = json_node_get_object(other);
    g_assert_true(json_object_get_null_member(o, "block"));
    g_assert_true(json_object_get_null_member(o, "node"));
    vh_history_region_clear(&r);
    lab_end(&lab);
}

int main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    g_test_add_func("/history/json/series", test_series);
    g_test_add_func("/history/json/raster", test_raster);
    g_test_add_func("/history/json/column", test_column);
    g_test_add_func("/history/json/region", test_region);
    return g_test_run();
}
