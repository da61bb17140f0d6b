<?xml version="1.0" encoding="utf-8"?>
<!DOCTYPE TS>
<TS version="2.1" language="en" sourcelanguage="en">
<context>
    <name>ui::CanvasView</name>
    <message numerus="yes">
        <source>%n block(s)</source>
        <translation>
            <numerusform>%n block</numerusform>
            <numerusform>%n blocks</numerusform>
        </translation>
    </message>
    <message numerus="yes">
        <source>%n MoE</source>
        <translation>
            <numerusform>%n MoE</numerusform>
            <numerusform>%n MoE</numerusform>
        </translation>
    </message>
</context>
<context>
    <name>ui::HeadsDialog</name>
    <message numerus="yes">
        <source>%n head(s) of %1 numbers</source>
        <translation>
            <numerusform>%n head of %1 numbers</numerusform>
            <numerusform>%n heads of %1 numbers</numerusform>
        </translation>
    </message>
</context>
<context>
    <name>ui::JobPage</name>
    <message numerus="yes">
        <source>Upcycles %n MLP layer(s), %1 experts each.</source>
        <translation>
            <numerusform>Upcycles one MLP layer: %1 experts.</numerusform>
            <numerusform>Upcycles %n MLP layers, %1 experts each.</numerusform>
        </translation>
    </message>
</context>
<context>
    <name>ui::CompareWorkspace</name>
    <message numerus="yes">
        <source>%n run(s) without this value</source>
        <translation>
            <numerusform>%n run without this value</numerusform>
            <numerusform>%n runs without this value</numerusform>
        </translation>
    </message>
</context>
<context>
    <name>ui::CostBar</name>
    <message numerus="yes">
        <source>%n warning(s)</source>
        <translation>
            <numerusform>%n warning</numerusform>
            <numerusform>%n warnings</numerusform>
        </translation>
    </message>
</context>
<context>
    <name>ui::ExportDialog</name>
    <message numerus="yes">
        <source>Exported %n tensor(s).</source>
        <translation>
            <numerusform>Exported %n tensor.</numerusform>
            <numerusform>Exported %n tensors.</numerusform>
        </translation>
    </message>
</context>
<context>
    <name>ui::Inspector</name>
    <message numerus="yes">
        <source>%n cell(s)</source>
        <translation>
            <numerusform>%n cell</numerusform>
            <numerusform>%n cells</numerusform>
        </translation>
    </message>
    <message numerus="yes">
        <source>%n tensor(s)</source>
        <translation>
            <numerusform>%n tensor</numerusform>
            <numerusform>%n tensors</numerusform>
        </translation>
    </message>
</context>
<context>
    <name>ui::PlanEditor</name>
    <message numerus="yes">
        <source>%n block(s)</source>
        <translation>
            <numerusform>%n block</numerusform>
            <numerusform>%n blocks</numerusform>
        </translation>
    </message>
</context>
<context>
    <name>ui::SettingsPage</name>
    <message numerus="yes">
        <source>The plan makes %n MLP(s) a mixture of experts.</source>
        <translation>
            <numerusform>The plan makes one MLP a mixture of experts.</numerusform>
            <numerusform>The plan makes %n MLPs mixtures of experts.</numerusform>
        </translation>
    </message>
    <message numerus="yes">
        <source>%n of the selected MLPs is (are) dense.</source>
        <translation>
            <numerusform>%n of the selected MLPs is dense.</numerusform>
            <numerusform>%n of the selected MLPs are dense.</numerusform>
        </translation>
    </message>
    <message numerus="yes">
        <source>%n dense MLP(s): each can become a mixture of experts.</source>
        <translation>
            <numerusform>A dense MLP: it can become a mixture of experts.</numerusform>
            <numerusform>%n dense MLPs: each can become a mixture of experts.</numerusform>
        </translation>
    </message>
</context>
<context>
    <name>ui::TensorsPage</name>
    <message numerus="yes">
        <source>%n tensor(s)</source>
        <translation>
            <numerusform>%n tensor</numerusform>
            <numerusform>%n tensors</numerusform>
        </translation>
    </message>
    <message numerus="yes">
        <source>%1 of %n tensor(s)</source>
        <translation>
            <numerusform>%1 of %n tensor</numerusform>
            <numerusform>%1 of %n tensors</numerusform>
        </translation>
    </message>
    <message numerus="yes">
        <source>… and %n more</source>
        <translation>
            <numerusform>… and %n more</numerusform>
            <numerusform>… and %n more</numerusform>
        </translation>
    </message>
</context>
<context>
    <name>CellText</name>
    <message numerus="yes">
        <source>%n exp.</source>
        <translation>
            <numerusform>%n exp.</numerusform>
            <numerusform>%n exp.</numerusform>
        </translation>
    </message>
    <message numerus="yes">
        <source>%n expert(s)</source>
        <translation>
            <numerusform>%n expert</numerusform>
            <numerusform>%n experts</numerusform>
        </translation>
    </message>
    <message numerus="yes">
        <source>%n head(s)</source>
        <translation>
            <numerusform>%n head</numerusform>
            <numerusform>%n heads</numerusform>
        </translation>
    </message>
    <message numerus="yes">
        <source>%n class(es)</source>
        <translation>
            <numerusform>%n class</numerusform>
            <numerusform>%n classes</numerusform>
        </translation>
    </message>
</context>
<context>
    <name>ui::CheckpointComparison</name>
    <message numerus="yes">
        <source>%n tensor(s) differ</source>
        <translation>
            <numerusform>%n tensor differs</numerusform>
            <numerusform>%n tensors differ</numerusform>
        </translation>
    </message>
    <message numerus="yes">
        <source>%1 of %n tensor(s)</source>
        <translation>
            <numerusform>%1 of %n tensor</numerusform>
            <numerusform>%1 of %n tensors</numerusform>
        </translation>
    </message>
</context>
<context>
    <name>ui::SamplePanel</name>
    <message numerus="yes">
        <source>%1 of %n span(s) right</source>
        <translation>
            <numerusform>%1 of %n span right</numerusform>
            <numerusform>%1 of %n spans right</numerusform>
        </translation>
    </message>
    <message numerus="yes">
        <source>%1 of %n word(s)</source>
        <translation>
            <numerusform>%1 of %n word</numerusform>
            <numerusform>%1 of %n words</numerusform>
        </translation>
    </message>
</context>
</TS>
