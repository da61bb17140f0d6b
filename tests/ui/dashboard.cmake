# SPDX-License-Identifier: GPL-3.0-or-later
# Charts, runs, training and comparison; main_job_test needs the trainer.
find_package(Qt6 6.4 REQUIRED COMPONENTS Test)
upcycler_test(ui_values_test
  SOURCES chart_values_test.cpp decimate_test.cpp
  LIBS upcycler_ui LABELS ui)
upcycler_test(ui_dashboard_test
  SOURCES charts_test.cpp compare_test.cpp job_form_test.cpp recorded_run.h recorded_run.cpp run_metrics_test.cpp
    sample_panel_test.cpp tokenizer_dialog_test.cpp
    tiny_checkpoint.h tiny_checkpoint.cpp train_workspace_test.cpp qt_main.cpp
  LIBS upcycler_ui qt_precompiled Qt6::Test LABELS ui ENV QT_QPA_PLATFORM=offscreen)
upcycler_test(ui_main_job_test WHOLE TIMEOUT 300
  SOURCES main_job_test.cpp tiny_checkpoint.h tiny_checkpoint.cpp qt_main.cpp
  LIBS upcycler_ui Qt6::Test LABELS ui ENV QT_QPA_PLATFORM=offscreen)
add_dependencies(ui_dashboard_test upcycle)
add_dependencies(ui_main_job_test upcycle)
